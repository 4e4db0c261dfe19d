#include "guard/watched_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace lockgate::guard {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kPiece = 64 * 1024;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

std::unexpected<std::string> cannot_read(const std::string& path) {
  return std::unexpected(fmt::format("{} cannot be read: {}", path, std::generic_category().message(errno)));
}

}  // namespace

WatchedFile::Stamp WatchedFile::stamp_of(const struct stat& file) {
  return {.modified = nanoseconds(file.st_mtim),
          .changed = nanoseconds(file.st_ctim),
          .size = file.st_size,
          .inode = file.st_ino,
          .device = file.st_dev};
}

// The stamp is taken before a byte is read: what changes meanwhile is seen the next time.
std::expected<Fd, std::string> WatchedFile::open() {
  stamp_ = {};
  struct stat file{};
  if (::stat(path_.c_str(), &file) == 0) stamp_ = stamp_of(file);
  Fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe must not hold us up
  if (!fd) return cannot_read(path_);
  if (::fstat(fd.number(), &file) != 0) return cannot_read(path_);
  stamp_ = stamp_of(file);
  if (!S_ISREG(file.st_mode)) return std::unexpected(fmt::format("{} is no file", path_));
  return fd;
}

std::expected<std::string, std::string> WatchedFile::read(std::size_t most) {
  auto fd = open();
  if (!fd) return std::unexpected(fd.error());
  std::string text;
  for (;;) {
    std::size_t known = text.size();
    text.resize(known + kPiece);
    ssize_t got = ::read(fd->number(), text.data() + known, kPiece);
    if (got < 0 && errno == EINTR)
      got = 0;
    else if (got < 0)
      return cannot_read(path_);
    else if (got == 0)
      return text.substr(0, known);
    text.resize(known + static_cast<std::size_t>(got));
    if (text.size() > most) return std::unexpected(fmt::format("{} has more than {} bytes", path_, most));
  }
}

bool WatchedFile::has_changed() const {
  struct stat file{};
  return (::stat(path_.c_str(), &file) == 0 ? stamp_of(file) : Stamp{}) != stamp_;
}

}  // namespace lockgate::guard
