// Files that are read whole, and again when they change: certificates, users. Any thread.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/secret.h"

namespace lockgate {

/// What a file was when it was looked at; all the same if there is none.
struct FileStamp {
  std::int64_t modified = 0, changed = 0, size = -1;  // changed: also in who may read it
  std::uint64_t inode = 0, device = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

/// A regular file, to be read. Never waits, as opening a pipe would. What fails is told in a sentence that
/// names the file.
std::expected<Fd, std::string> open_file(const std::string& path);

/// The whole of such a file of at most `largest` bytes, which `bound` has in words ("1 MiB").
std::expected<Secret, std::string> read_whole_file(const std::string& path, std::size_t largest,
                                                   std::string_view bound);

}  // namespace lockgate
