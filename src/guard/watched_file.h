// WatchedFile: a file that is read again when it has changed. On the process's thread.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/whole_file.h"

namespace lockgate::guard {

class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  /// Opens it for reading and notes what it is, also if that fails; an error is a sentence.
  std::expected<Fd, std::string> open() {
    note();
    return open_file(path_);
  }
  /// All of it, but not more than `most` bytes, which `bound` has in words; the same otherwise.
  std::expected<Secret, std::string> read(std::size_t most, std::string_view bound) {
    note();
    return read_whole_file(path_, most, bound);
  }
  /// Whether it has changed since it was opened last: never while nothing is.
  bool has_changed() const { return stamp_of(path_) != stamp_; }
  /// When it was written, as it was opened.
  WallTime written() const { return stamp_.modified; }

 private:
  // Before a byte is read: what changes meanwhile is seen the next time.
  void note() { stamp_ = stamp_of(path_); }

  std::string path_;
  FileStamp stamp_;
};

}  // namespace lockgate::guard
