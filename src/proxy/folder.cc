#include "proxy/folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "proxy/page.h"

namespace lockgate::proxy {
namespace {

constexpr const char* kOpening = "opening the file";

// A name that is moved while it is resolved cannot be resolved safely, and is tried again.
constexpr int kTries = 8;

int open_beneath(int folder, const char* name, int flags) {
  open_how how{.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC),
               .mode = 0,
               .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int fd = -1;
  for (int i = 0; i < kTries; ++i) {
    fd = static_cast<int>(::syscall(SYS_openat2, folder, name, &how, sizeof how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return fd;
}

Error not_found() { return refusal(Errc::rejected, 404, kOpening); }

// RESOLVE_BENEATH says EXDEV of what leads outside; a socket says ENXIO, a loop of links ELOOP.
Error error_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case EXDEV:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV:
    case EINVAL:
      return not_found();
    case EACCES:
    case EPERM: {
      Error error = system_error(number, kOpening);
      error.code = Errc::rejected;
      return error;
    }
    default: {
      Error error = system_error(number, kOpening);
      error.code = Errc::no_resources;
      return error;
    }
  }
}

std::string reason(int number) { return std::generic_category().message(number); }

}  // namespace

std::expected<std::shared_ptr<const Folder>, std::string> Folder::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return std::unexpected(fmt::format("the folder {} cannot be opened: {}", path, reason(errno)));
  Fd itself(open_beneath(fd.number(), ".", O_PATH | O_DIRECTORY));
  if (!itself) {
    return std::unexpected(
        fmt::format("files of {} cannot be served: {}; the kernel must have openat2 (Linux 5.6), and the "
                    "container must allow it",
                    path, reason(errno)));
  }
  return std::make_shared<const Folder>(std::move(fd));
}

Result<File> Folder::find(const std::string& name) const {
  File file{.fd = Fd(open_beneath(fd_.number(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY))};
  if (!file.fd) return std::unexpected(error_of(errno));
  struct stat told{};
  if (::fstat(file.fd.number(), &told) != 0) return std::unexpected(error_of(errno));
  file.is_folder = S_ISDIR(told.st_mode);
  if (!file.is_folder && !S_ISREG(told.st_mode)) return std::unexpected(not_found());
  constexpr WallTime kSecond = 1'000'000'000;
  file.inode = told.st_ino;
  file.size = static_cast<std::uint64_t>(told.st_size);
  // Beyond 2262 there are no nanoseconds, but files may say so.
  constexpr std::int64_t kLast = INT64_MAX / kSecond - 1;
  file.modified =
      std::clamp(std::int64_t{told.st_mtim.tv_sec}, -kLast, kLast) * kSecond + told.st_mtim.tv_nsec;
  return file;
}

}  // namespace lockgate::proxy
