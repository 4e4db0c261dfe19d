#include "base/whole_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lockgate {
namespace {

// A file may be longer when it is read than it was when it was opened; the kernel's have no size at all.
constexpr std::size_t kGrowth = 64 * 1024;

std::unexpected<std::string> unreadable(const std::string& path, int error) {
  const char* remedy = "";
  if (error == ENOENT) remedy = "; see whether the name is right";
  if (error == EACCES) remedy = "; give the user that Lockgate runs as the right to read it";
  return std::unexpected(
      fmt::format("{} cannot be read: {}{}", path, std::generic_category().message(error), remedy));
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return {};
  auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  return {.modified = nanoseconds(file.st_mtim),
          .changed = nanoseconds(file.st_ctim),
          .size = file.st_size,
          .inode = file.st_ino,
          .device = file.st_dev};
}

std::expected<Fd, std::string> open_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return unreadable(path, errno);
  struct stat about{};
  if (::fstat(file.number(), &about) != 0) return unreadable(path, errno);
  if (S_ISDIR(about.st_mode))
    return std::unexpected(fmt::format("{} is a folder; name a file inside it", path));
  if (!S_ISREG(about.st_mode)) return std::unexpected(fmt::format("{} is not a regular file", path));
  return file;
}

std::expected<Secret, std::string> read_whole_file(const std::string& path, std::size_t largest,
                                                   std::string_view bound) {
  auto opened = open_file(path);
  if (!opened) return std::unexpected(opened.error());
  const Fd& file = *opened;
  struct stat about{};
  if (::fstat(file.number(), &about) != 0) return unreadable(path, errno);
  if (std::cmp_greater(about.st_size, largest))
    return std::unexpected(fmt::format("{} is larger than {}", path, bound));
  Secret content(std::min(largest, static_cast<std::size_t>(about.st_size) + kGrowth) + 1);
  auto room = content.room();
  while (!room.empty()) {
    ssize_t size = ::read(file.number(), room.data(), room.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return unreadable(path, errno);
    if (size == 0) break;
    room = room.subspan(static_cast<std::size_t>(size));
  }
  std::size_t read = content.text().size() - room.size();
  if (read > largest) return std::unexpected(fmt::format("{} is larger than {}", path, bound));
  if (room.empty()) return std::unexpected(fmt::format("{} grows while it is read", path));
  content.cut(read);
  return content;
}

}  // namespace lockgate
