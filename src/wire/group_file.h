// A file of groups and their users, as Apache httpd reads it (mod_authz_groupfile): lines
// `group: user1 user2`, a name with spaces in quotes, a group on as many lines as one likes.
//
// Bounded in size and number; asking costs the same in a large file. Immutable; any thread.
#pragma once
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "base/name_table.h"
#include "wire/file_lines.h"

namespace lockgate::wire {

inline constexpr std::size_t kLargestGroupFile = 64 << 20;
inline constexpr std::size_t kMostGroups = 65'536;
inline constexpr std::size_t kMostMembers = 4'000'000;  // of all groups together

class GroupFile {
 public:
  static std::expected<GroupFile, FileMistake> read(std::string_view file);

  bool is_in(std::string_view user, std::string_view group) const;
  bool has_group(std::string_view group) const { return groups_.find(group).has_value(); }
  std::size_t size() const { return groups_.size(); }
  /// Calls `visit(group, user)` for each member, in the order of the file.
  void for_each_member(const std::function<void(std::string_view, std::string_view)>& visit) const;

 private:
  std::expected<void, std::string> take_line(std::string_view line);

  NameTable groups_;
  NameTable members_;  // the number of a group and a user, as Member writes it
};

}  // namespace lockgate::wire
