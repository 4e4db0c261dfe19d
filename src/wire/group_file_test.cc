#include "wire/group_file.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

GroupFile read(std::string_view text) {
  auto groups = GroupFile::read(text);
  EXPECT_TRUE(groups) << groups.error().line << " " << groups.error().what;
  return std::move(*groups);
}
std::string trouble(std::string_view text) {
  auto groups = GroupFile::read(text);
  return groups ? "none" : fmt::format("{}: {}", groups.error().line, groups.error().what);
}

TEST(GroupFile, HasTheUsersOfEachGroup) {
  auto groups = read("# of us\nstaff: alice  bob\r\n\nadmins:\talice\n");
  EXPECT_TRUE(groups.is_in("alice", "staff"));
  EXPECT_TRUE(groups.is_in("bob", "staff"));
  EXPECT_TRUE(groups.is_in("alice", "admins"));
  EXPECT_FALSE(groups.is_in("bob", "admins"));
  EXPECT_FALSE(groups.is_in("carol", "staff"));
  EXPECT_FALSE(groups.is_in("alice", "nobody"));
  EXPECT_FALSE(groups.is_in("", "staff"));
  EXPECT_FALSE(groups.is_in(std::string(10'000, 'a'), "staff"));
}

TEST(GroupFile, MayHaveAGroupOnSeveralLinesOrEmpty) {
  auto groups = read("staff: alice\nstaff : bob\nempty:");
  EXPECT_EQ(groups.size(), 2u);
  EXPECT_TRUE(groups.is_in("alice", "staff"));
  EXPECT_TRUE(groups.is_in("bob", "staff"));
  EXPECT_TRUE(groups.has_group("empty"));
  EXPECT_FALSE(groups.has_group("full"));
}

// ap_getword_conf().
TEST(GroupFile, HasNamesWithSpacesInQuotes) {
  auto groups = read(R"(our staff: "carl gustav" 'e\'e' "a\\b\c" "open)");
  EXPECT_TRUE(groups.is_in("carl gustav", "our staff"));
  EXPECT_TRUE(groups.is_in("e'e", "our staff"));
  EXPECT_TRUE(groups.is_in(R"(a\b\c)", "our staff"));
  EXPECT_TRUE(groups.is_in("open", "our staff"));
}

TEST(GroupFile, OfNobodyHasNobody) { EXPECT_FALSE(GroupFile().is_in("alice", "staff")); }

TEST(GroupFile, ShowsItsMembers) {
  std::string told;
  read("b: x y\na: x").for_each_member([&](std::string_view group, std::string_view user) {
    told += fmt::format("{}/{} ", group, user);
  });
  EXPECT_EQ(told, "b/x b/y a/x ");
}

TEST(GroupFile, IsRefusedWithTheLine) {
  EXPECT_EQ(trouble("\nstaff alice"), "2: has no colon between a group and its users");
  EXPECT_TRUE(trouble(": alice").starts_with("1: has no group of 1 to 255 bytes"));
  EXPECT_TRUE(trouble("staff: a\xff").starts_with("1: has a user that is not 1 to 255 bytes"));
  EXPECT_TRUE(trouble("staff: \"\"").starts_with("1: has a user that is not 1 to 255 bytes"));
  EXPECT_TRUE(trouble("staff: " + std::string(256, 'a')).starts_with("1: has a user that is not"));
  EXPECT_EQ(trouble(std::string(kLargestGroupFile + 1, '\n')), "0: is larger than 64 MiB");
}

TEST(GroupFile, IsBoundedInGroups) {
  std::string text;
  for (std::size_t i = 0; i <= kMostGroups; ++i) text += fmt::format("{}: a\n", i);
  EXPECT_EQ(trouble(text), "65537: is of more than 65536 groups");
}

}  // namespace
}  // namespace lockgate::wire
