// A file of users and the hashes of their passwords, as htpasswd writes it: lines
// `name:hash`, of which what stands behind another colon is ignored. The first line of a
// name counts (mod_authn_file).
//
// Each hash is one that can be checked (base/password_hash.h). Bounded in size and number;
// finding a user costs the same in a large file. Immutable; any thread.
#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_table.h"
#include "wire/file_lines.h"

namespace lockgate::wire {

inline constexpr std::size_t kLargestUserFile = 64 << 20;
inline constexpr std::size_t kMostUsers = 1'000'000;

class UserFile {
 public:
  static std::expected<UserFile, FileMistake> read(std::string_view file);

  std::optional<std::string_view> hash_of(std::string_view name) const;
  std::size_t size() const { return names_.size(); }
  /// In the order of the file.
  std::string_view name(std::size_t number) const { return names_.name(static_cast<std::uint32_t>(number)); }
  std::string_view hash(std::size_t number) const;

 private:
  NameTable names_;
  std::string hashes_;               // one behind the other
  std::vector<std::uint32_t> ends_;  // of each in `hashes_`
};

}  // namespace lockgate::wire
