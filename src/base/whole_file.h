// Files that are read whole, and again when they change: certificates, users. Any thread.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace lockgate {

/// What a file was when it was looked at; all the same if there is none.
struct FileStamp {
  std::int64_t modified = 0, changed = 0, size = -1;  // changed: also in who may read it
  std::uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

/// The whole of a regular file of at most `largest` bytes, which `bound` has in words ("1 MiB"). Never waits,
/// as opening a pipe would. What fails is told in a sentence that names the file.
std::expected<Secret, std::string> read_whole_file(const std::string& path, std::size_t largest,
                                                   std::string_view bound);

}  // namespace lockgate
