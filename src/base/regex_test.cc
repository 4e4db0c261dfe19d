#include "base/regex.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace lockgate {
namespace {

Regex compiled(std::string_view pattern) {
  auto regex = Regex::compile(pattern);
  EXPECT_TRUE(regex) << (regex ? "" : regex.error());
  return std::move(*regex);
}

TEST(Regex, MatchesAnywhereUnlessAnchored) {
  EXPECT_TRUE(compiled("b+").matches("abbc"));
  EXPECT_FALSE(compiled("^b+").matches("abbc"));
  EXPECT_TRUE(compiled("^$").matches(""));
  EXPECT_TRUE(compiled("").matches("anything"));
}

TEST(Regex, GivesWhatEachGroupTook) {
  Regex regex = compiled("^/(\\w+)/(x)?(.*)$");
  EXPECT_EQ(regex.groups(), 3u);
  std::array<std::string_view, 5> groups{"", "", "old", "", "old"};
  ASSERT_TRUE(regex.match("/a/b/c", groups));
  EXPECT_EQ(groups, (std::array<std::string_view, 5>{"/a/b/c", "a", "", "b/c", ""}));
  std::array<std::string_view, 1> whole;
  ASSERT_TRUE(regex.match("/q/", whole));
  EXPECT_EQ(whole[0], "/q/");
  EXPECT_FALSE(regex.match("q", groups));
}

TEST(Regex, TellsWhatIsWrongWithAPattern) {
  for (const char* pattern : {"(", "a**", "[b-a]", "\\1", "(?=x)", "(?P<n>a"}) {
    auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex) << pattern;
    EXPECT_FALSE(regex.error().empty());
  }
  std::string many;
  for (int i = 0; i < 40; ++i) many += "(a)";
  EXPECT_FALSE(Regex::compile(many));
  EXPECT_FALSE(Regex::compile("((((a{100}){100}){100}){100}){100}")) << "too large";
}

TEST(Regex, TakesAnyBytes) {
  Regex regex = compiled("^/a.b$");
  EXPECT_TRUE(
      regex.matches("/a\xff"
                    "b"));
  EXPECT_TRUE(regex.matches("/a\nb"));
  EXPECT_TRUE(regex.matches(std::string_view("/a\0b", 4)));
  EXPECT_TRUE(compiled("^é$").matches("é"));
}

TEST(Regex, ReplacesEveryMatch) {
  EXPECT_EQ(compiled("a(.)").replace_all("ab ac", "\\1!"), "b! c!");
  EXPECT_EQ(compiled("x").replace_all("ab", "\\1"), "ab") << "nothing matched";
  EXPECT_EQ(compiled("b").replace_all("abab", ""), "aa");
  EXPECT_EQ(compiled("^a").replace_all("aa", "\\0\\0\\\\"), "aa\\a");
}

TEST(Regex, TellsWhatIsWrongWithAReplacement) {
  Regex regex = compiled("a(.)");
  EXPECT_EQ(regex.fault_of_replacement("\\1 \\0 \\\\"), "");
  EXPECT_NE(regex.fault_of_replacement("\\2"), "");
  EXPECT_NE(regex.fault_of_replacement("\\x"), "");
  EXPECT_NE(regex.fault_of_replacement("a\\"), "");
}

TEST(Regex, TakesTimeInProportionToAHostileText) {
  Regex regex = compiled("^(a+)+(a|aa)*$");
  std::string text(200'000, 'a');
  text += 'b';
  auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(regex.matches(text));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(Regex, MayBeMoved) {
  Regex regex = compiled("a");
  Regex other = std::move(regex);
  regex = compiled("b");
  EXPECT_TRUE(other.matches("a"));
  EXPECT_TRUE(regex.matches("b"));
}

}  // namespace
}  // namespace lockgate
