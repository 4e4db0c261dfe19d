#include "wire/user_file.h"

#include <fmt/core.h>

#include "base/password_hash.h"

namespace lockgate::wire {

using std::unexpected;

std::expected<UserFile, FileMistake> UserFile::read(std::string_view file) {
  if (file.size() > kLargestUserFile) return unexpected(FileMistake{0, "is larger than 64 MiB"});
  if (file.starts_with("\xef\xbb\xbf"))
    return unexpected(FileMistake{1, "begins with a byte order mark; save it without one"});
  UserFile users;
  FileLines lines(file);
  while (lines.next()) {
    auto colon = lines.line().find(':');
    if (colon == std::string_view::npos)
      return unexpected(lines.mistake("has no colon between a user and the hash of a password"));
    std::string_view name = lines.line().substr(0, colon), hash = lines.line().substr(colon + 1);
    hash = hash.substr(0, hash.find(':'));
    if (!is_name(name))
      return unexpected(lines.mistake(
          "has no user of 1 to 255 bytes of UTF-8 without control characters before the colon"));
    if (auto scheme = scheme_of(hash); !scheme) return unexpected(lines.mistake(scheme.error()));
    if (!users.names_.add(name).is_new) continue;
    if (users.size() > kMostUsers)
      return unexpected(lines.mistake(fmt::format("is of more than {} users", kMostUsers)));
    users.hashes_ += hash;
    users.ends_.push_back(static_cast<std::uint32_t>(users.hashes_.size()));
  }
  return users;
}

std::optional<std::string_view> UserFile::hash_of(std::string_view name) const {
  auto number = names_.find(name);
  if (!number) return {};
  return hash(*number);
}

std::string_view UserFile::hash(std::size_t number) const {
  std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(hashes_).substr(begin, ends_[number] - begin);
}

}  // namespace lockgate::wire
