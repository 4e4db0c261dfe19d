// Folder: one whose files are answers. It is opened when the configuration is loaded,
// and nothing outside of it can be reached through it: the system resolves every name
// beneath it (openat2), links included. Immutable; any thread.
#pragma once
#include <expected>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

namespace lockgate::proxy {

/// A file or folder that was found, as it was then.
struct File {
  Fd fd;
  bool is_folder = false;
  std::uint64_t inode = 0, size = 0;
  WallTime modified = 0;
};

class Folder {
 public:
  /// The error is a sentence: there is none, or this kernel cannot keep names inside of it.
  static std::expected<std::shared_ptr<const Folder>, std::string> open(const std::string& path);

  explicit Folder(Fd fd) : fd_(std::move(fd)) {}
  /// A regular file or a folder beneath it, "." for itself. Never waits, as opening a pipe would. What is not
  /// there, leads outside or is anything else fails with HTTP status 404 in the detail; what may not be read,
  /// as `rejected`.
  Result<File> find(const std::string& name) const;

 private:
  Fd fd_;
};

}  // namespace lockgate::proxy
