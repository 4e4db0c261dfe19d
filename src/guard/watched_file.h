// WatchedFile: a file that is read again when it has changed. On the process's thread.
#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "base/clock.h"
#include "base/fd.h"

struct stat;

namespace lockgate::guard {

class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  /// Opens it for reading and notes what it is, also if that fails; an error is a sentence.
  std::expected<Fd, std::string> open();
  /// All of it, but not more than `most` bytes; the same otherwise.
  std::expected<std::string, std::string> read(std::size_t most);
  /// Whether it has changed since it was opened last: never while nothing is.
  bool has_changed() const;
  /// When it was written, as it was opened.
  WallTime written() const { return stamp_.modified; }

 private:
  struct Stamp {
    WallTime modified = 0;
    std::int64_t changed = 0, size = -1;
    std::uint64_t inode = 0, device = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const struct stat& file);

  std::string path_;
  Stamp stamp_;
};

}  // namespace lockgate::guard
