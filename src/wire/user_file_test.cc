#include "wire/user_file.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

constexpr std::string_view kOne = "$2y$04$Z5QkscZJplyifAB0bBSEOeOKAPsJvXaHfHYPlUQ4GZ8pHSDasxvnq";
constexpr std::string_view kOther = "{SSHA}64NHIAE0LIDpkJ7ArEqFh+ujys8MjeDy";

UserFile read(std::string_view text) {
  auto users = UserFile::read(text);
  EXPECT_TRUE(users) << users.error().line << " " << users.error().what;
  return std::move(*users);
}
std::string trouble(std::string_view text) {
  auto users = UserFile::read(text);
  return users ? "none" : fmt::format("{}: {}", users.error().line, users.error().what);
}

TEST(UserFile, HasAUserInEachLine) {
  auto users = read(fmt::format("alice:{}\nbob:{}\n", kOne, kOther));
  EXPECT_EQ(users.size(), 2u);
  EXPECT_EQ(users.hash_of("alice"), kOne);
  EXPECT_EQ(users.hash_of("bob"), kOther);
  EXPECT_FALSE(users.hash_of("carol"));
  EXPECT_FALSE(users.hash_of(""));
  EXPECT_FALSE(users.hash_of("Alice"));
}

TEST(UserFile, MayHaveOtherEndsOfLinesCommentsAndNone) {
  auto users = read(fmt::format("# staff\r\n\r\n  \t\n\talice:{0} \r\n#bob:{0}\nå:{1}", kOne, kOther));
  EXPECT_EQ(users.size(), 2u);
  EXPECT_EQ(users.hash_of("alice"), kOne);
  EXPECT_EQ(users.hash_of("å"), kOther);
  EXPECT_EQ(read("").size(), 0u);
}

// mod_authn_file, both.
TEST(UserFile, TakesTheFirstLineOfANameAndNothingBehindTheHash) {
  auto users = read(fmt::format("alice:{}:Alice:staff\nalice:{}\n", kOne, kOther));
  EXPECT_EQ(users.size(), 1u);
  EXPECT_EQ(users.hash_of("alice"), kOne);
}

TEST(UserFile, KeepsSpacesInNames) {
  EXPECT_EQ(read(fmt::format("alice of staff :{}", kOne)).hash_of("alice of staff "), kOne);
}

TEST(UserFile, IsRefusedWithTheLineAndNothingOfTheHash) {
  EXPECT_EQ(trouble("#\nalice"), "2: has no colon between a user and the hash of a password");
  EXPECT_TRUE(trouble(fmt::format(":{}", kOne)).starts_with("1: has no user of 1 to 255 bytes"));
  EXPECT_TRUE(trouble(fmt::format("al\tice:{}", kOne)).starts_with("1: has no user of 1 to 255 bytes"));
  EXPECT_TRUE(trouble(fmt::format("\xff:{}", kOne)).starts_with("1: has no user of 1 to 255 bytes"));
  EXPECT_TRUE(trouble(fmt::format("{}:{}", std::string(256, 'a'), kOne)).starts_with("1: has no user"));
  EXPECT_EQ(trouble("alice:"), "1: has no hash of a password");
  EXPECT_EQ(trouble("\xef\xbb\xbf"), "1: begins with a byte order mark; save it without one");
  EXPECT_TRUE(
      trouble(fmt::format("bob:{}\nalice:hunter2", kOne)).starts_with("2: has no hash that is known"));
  EXPECT_FALSE(trouble("alice:hunter2").contains("hunter2"));
}

TEST(UserFile, FindsTheLastOfManyUsers) {
  std::string text;
  constexpr int kMany = 200'000;
  for (int i = 0; i < kMany; ++i) text += fmt::format("user{}:{}\n", i, kOther);
  auto users = read(text);
  EXPECT_EQ(users.size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(users.hash_of("user199999"), kOther);
  EXPECT_EQ(users.name(kMany - 1), "user199999");
  EXPECT_EQ(users.hash(kMany - 1), kOther);
}

TEST(UserFile, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i <= kMostUsers; ++i) text += fmt::format("{}:abcdefghijklm\n", i);
  EXPECT_EQ(trouble(text), "1000001: is of more than 1000000 users");
  EXPECT_EQ(trouble(std::string(kLargestUserFile + 1, '\n')), "0: is larger than 64 MiB");
}

}  // namespace
}  // namespace lockgate::wire
