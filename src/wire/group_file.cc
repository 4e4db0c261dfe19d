#include "wire/group_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lockgate::wire {

using std::unexpected;

namespace {

constexpr std::size_t kLongestName = 255;

// The number of a group in four bytes, and behind it the user, whose name is_name().
class Member {
 public:
  Member(std::uint32_t group, std::string_view user) : size_(sizeof(group) + user.size()) {
    std::memcpy(text_.data(), &group, sizeof(group));
    std::ranges::copy(user, text_.begin() + sizeof(group));
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, sizeof(std::uint32_t) + kLongestName> text_;
  std::size_t size_;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

void skip_spaces(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
}

// As ap_getword_conf: up to a space, or in quotes, where a backslash goes before a quote or another one.
// A quote that does not end goes to the end of the line.
std::string take_word(std::string_view& rest) {
  char quote = rest.front() == '"' || rest.front() == '\'' ? rest.front() : '\0';
  std::size_t at = quote ? 1 : 0;
  std::string word;
  for (; at < rest.size(); ++at) {
    bool ends = quote ? rest[at] == quote : is_space(rest[at]);
    if (ends) break;
    bool escaped =
        quote && rest[at] == '\\' && at + 1 < rest.size() && (rest[at + 1] == quote || rest[at + 1] == '\\');
    if (escaped) ++at;
    word += rest[at];
  }
  rest.remove_prefix(std::min(at + (quote ? 1 : 0), rest.size()));
  return word;
}

}  // namespace

std::expected<GroupFile, FileMistake> GroupFile::read(std::string_view file) {
  if (file.size() > kLargestGroupFile) return unexpected(FileMistake{0, "is larger than 64 MiB"});
  if (file.starts_with("\xef\xbb\xbf"))
    return unexpected(FileMistake{1, "begins with a byte order mark; save it without one"});
  GroupFile groups;
  FileLines lines(file);
  while (lines.next()) {
    if (auto taken = groups.take_line(lines.line()); !taken) return unexpected(lines.mistake(taken.error()));
  }
  return groups;
}

std::expected<void, std::string> GroupFile::take_line(std::string_view line) {
  auto colon = line.find(':');
  if (colon == line.npos) return unexpected("has no colon between a group and its users");
  std::string_view group = line.substr(0, colon), rest = line.substr(colon + 1);
  while (!group.empty() && is_space(group.back())) group.remove_suffix(1);
  if (!is_name(group)) {
    return unexpected("has no group of 1 to 255 bytes of UTF-8 without control characters before the colon");
  }
  std::uint32_t number = groups_.add(group).number;
  if (groups_.size() > kMostGroups) return unexpected(fmt::format("is of more than {} groups", kMostGroups));
  for (skip_spaces(rest); !rest.empty(); skip_spaces(rest)) {
    std::string user = take_word(rest);
    if (!is_name(user))
      return unexpected("has a user that is not 1 to 255 bytes of UTF-8 without control characters");
    members_.add(Member(number, user).text());
    if (members_.size() > kMostMembers)
      return unexpected(fmt::format("is of more than {} members of groups", kMostMembers));
  }
  return {};
}

bool GroupFile::is_in(std::string_view user, std::string_view group) const {
  auto number = groups_.find(group);
  return number && user.size() <= kLongestName && members_.find(Member(*number, user).text());
}

void GroupFile::for_each_member(const std::function<void(std::string_view, std::string_view)>& visit) const {
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    std::string_view member = members_.name(i);
    std::uint32_t group = 0;
    std::memcpy(&group, member.data(), sizeof(group));
    visit(groups_.name(group), member.substr(sizeof(group)));
  }
}

}  // namespace lockgate::wire
