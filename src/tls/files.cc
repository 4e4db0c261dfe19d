#include "tls/files.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/digest.h"
#include "base/fd.h"
#include "base/whole_file.h"

namespace lockgate::tls {
namespace {

using Outcome = std::expected<void, std::string>;

std::string reason(int error) { return std::generic_category().message(error); }

std::unexpected<std::string> unwritable(const std::string& path, int error) {
  const char* remedy = "";
  if (error == ENOENT) remedy = "; make the folder first";
  if (error == EACCES || error == EPERM || error == EROFS)
    remedy = "; give the user that Lockgate runs as the right to write to the folder, or choose another";
  if (error == EEXIST) return std::unexpected(fmt::format("{} is there already and is left as it is", path));
  return std::unexpected(fmt::format("{} cannot be written: {}{}", path, reason(error), remedy));
}

mode_t mode_for(Readers readers) { return readers == Readers::owner ? 0600 : 0644; }

// 0, or what went wrong.
int write_all(const Fd& file, std::string_view text) {
  while (!text.empty()) {
    ssize_t size = ::write(file.number(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::fsync(file.number()) == 0 ? 0 : errno;
}

// Makes the file; one that cannot be filled does not stay behind.
int write_file(const std::string& path, std::string_view text, Readers readers) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_for(readers)));
  if (!file) return errno;
  int error = write_all(file, text);
  if (error != 0) ::unlink(path.c_str());
  return error;
}

}  // namespace

std::expected<Secret, std::string> read_file(const std::string& path) {
  return read_whole_file(path, kLargestFile,
                         "1 MiB, which no certificate needs; see whether it is the right file");
}

Outcome write_new_file(const std::string& path, std::string_view text, Readers readers) {
  if (int error = write_file(path, text, readers)) return unwritable(path, error);
  return {};
}

Outcome replace_file(const std::string& path, std::string_view text, Readers readers) {
  struct stat about{};
  if (::lstat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode))
    return std::unexpected(fmt::format("{} is not a regular file and is left as it is", path));
  std::array<std::byte, 8> random{};
  random_bytes(random);
  auto place = std::filesystem::path(path);
  std::string beside = place.parent_path() / fmt::format(".{}.{}", place.filename().string(), hex(random));
  if (int error = write_file(beside, text, readers)) return unwritable(path, error);
  if (::rename(beside.c_str(), path.c_str()) == 0) return {};
  int error = errno;
  ::unlink(beside.c_str());
  return unwritable(path, error);
}

Outcome make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || (errno == EEXIST && std::filesystem::is_directory(path))) return {};
  int error = errno;
  if (error == EEXIST) return std::unexpected(fmt::format("{} must be a folder, and is none", path));
  return std::unexpected(
      fmt::format("the folder {} cannot be made: {}; make it, and let the user that Lockgate runs as own it",
                  path, reason(error)));
}

}  // namespace lockgate::tls
