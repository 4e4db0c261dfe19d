#include "base/name_pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace lockgate {
namespace {

std::string normal(std::string_view name) { return normalized_name(name).value_or("none"); }
std::string pattern(std::string_view text) {
  auto parsed = NamePattern::parse(text);
  return parsed ? parsed->text() : "none";
}
bool matches(std::string_view text, std::string_view name) { return NamePattern::parse(text)->matches(name); }

TEST(NormalizedName, IsLowerCaseWithoutTheTrailingDot) {
  EXPECT_EQ(normal("WWW.Example.COM."), "www.example.com");
  EXPECT_EQ(normal("_dmarc.xn--bcher-kva.example"), "_dmarc.xn--bcher-kva.example");
  EXPECT_EQ(normal("localhost"), "localhost");
}

TEST(NormalizedName, IsNoneForWhatIsNoName) {
  for (std::string_view name : {"", ".", "..", "a..b", ".a", "a..", "a b", "a/b", "a:1", "*.example.com",
                                "b\xc3\xbc.de", "a\nb", "a\"b", "[::1]"}) {
    EXPECT_EQ(normal(name), "none") << name;
  }
  EXPECT_EQ(normal(std::string_view("a\0b", 3)), "none");
}

TEST(NormalizedName, KeepsTheLimitsOfTheDns) {
  std::string label(63, 'a');
  EXPECT_EQ(normal(label), label);
  EXPECT_EQ(normal(label + "a"), "none");
  std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  ASSERT_EQ(longest.size(), kLongestName);
  EXPECT_EQ(normal(longest), longest);
  EXPECT_EQ(normal(longest + "."), longest);
  EXPECT_EQ(normal(longest + "a"), "none");
}

TEST(IpLiteral, IsWhatServerNamesMustNotBe) {
  EXPECT_TRUE(is_ip_literal("192.0.2.1"));
  EXPECT_TRUE(is_ip_literal("::1"));
  EXPECT_TRUE(is_ip_literal("fe80::1%whatever"));
  EXPECT_FALSE(is_ip_literal("192.0.2.1.example.com"));
  EXPECT_FALSE(is_ip_literal("example.com"));
}

TEST(NamePattern, IsAnExactNameAWildcardOrDefault) {
  EXPECT_EQ(pattern("WWW.example.com."), "www.example.com");
  EXPECT_EQ(pattern("*.Example.com"), "*.example.com");
  EXPECT_EQ(pattern("default"), "default");
  for (std::string_view text : {"", "*", "*.", "*.*.com", "www.*.com", "w*.example.com", "**.example.com"}) {
    EXPECT_EQ(pattern(text), "none") << text;
  }
}

TEST(NamePattern, MatchesOneOrMoreLabelsWithAWildcard) {
  EXPECT_TRUE(matches("*.example.com", "a.example.com"));
  EXPECT_TRUE(matches("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(matches("*.example.com", "example.com"));
  EXPECT_FALSE(matches("*.example.com", ".example.com"));
  EXPECT_FALSE(matches("*.example.com", "badexample.com"));
  EXPECT_FALSE(matches("*.example.com", "example.com.evil"));
  EXPECT_FALSE(matches("*.example.com", ""));
}

TEST(NamePattern, MatchesEverythingByDefaultEvenNoName) {
  EXPECT_TRUE(matches("default", "anything.example"));
  EXPECT_TRUE(matches("default", ""));
  EXPECT_TRUE(matches("example.com", "example.com"));
  EXPECT_FALSE(matches("example.com", "www.example.com"));
}

TEST(NamePattern, MatchesByARegularExpressionAnywhereUnlessItSaysWhere) {
  auto matches = [](std::string_view expression, std::string_view name) {
    return NamePattern::of_regex(expression)->matches(name);
  };
  EXPECT_TRUE(matches("^app[0-9]+[.]example[.]com$", "app12.example.com"));
  EXPECT_FALSE(matches("^app[0-9]+[.]example[.]com$", "app.example.com"));
  EXPECT_FALSE(matches("^app[0-9]+[.]example[.]com$", "app1.example.com.evil"));
  EXPECT_TRUE(matches("app", "my.app.example"));
  EXPECT_FALSE(matches("", ""));  // a client without a name is of `default`
}

TEST(NamePattern, TellsWhatIsWrongWithARegularExpression) {
  EXPECT_TRUE(NamePattern::of_regex("(").error().contains(")"));
  EXPECT_EQ(NamePattern::of_regex("^a$")->text(), "~^a$");
  EXPECT_FALSE(NamePattern::of_regex("a")->is_name());
  EXPECT_EQ(*NamePattern::of_regex("a"), *NamePattern::of_regex("a"));
}

class Index : public testing::Test {
 protected:
  void add(std::string_view text, std::uint32_t value) { index_.add(*NamePattern::parse(text), value); }
  /// All values in order of preference.
  std::vector<std::uint32_t> order(std::string_view name) {
    std::vector<std::uint32_t> values;
    index_.find(name, [&](std::uint32_t value) {
      values.push_back(value);
      return false;
    });
    return values;
  }
  NameIndex index_;
};
using Values = std::vector<std::uint32_t>;

TEST_F(Index, PrefersTheMostSpecificPattern) {
  add("default", 1);
  add("*.com", 2);
  add("*.example.com", 3);
  add("*.a.example.com", 4);
  add("b.a.example.com", 5);
  EXPECT_EQ(order("b.a.example.com"), (Values{5, 4, 3, 2, 1}));
  EXPECT_EQ(order("a.example.com"), (Values{3, 2, 1}));
  EXPECT_EQ(order("example.com"), (Values{2, 1}));
  EXPECT_EQ(order("com"), (Values{1}));
  EXPECT_EQ(order(""), (Values{1}));
}

TEST_F(Index, TriesRegularExpressionsInTheirOrderBehindNamesAndBeforeDefault) {
  add("default", 1);
  index_.add(*NamePattern::of_regex("example"), 2);
  index_.add(*NamePattern::of_regex("^a[.]"), 3);
  add("*.example.com", 4);
  EXPECT_EQ(order("a.example.com"), (Values{4, 2, 3, 1}));
  EXPECT_EQ(order("a.test"), (Values{3, 1}));
  EXPECT_EQ(order(""), (Values{1}));
}

TEST_F(Index, KeepsTheOrderAmongEqualPatterns) {
  add("a.com", 7);
  add("a.com", 3);
  add("A.com.", 5);
  EXPECT_EQ(order("a.com"), (Values{7, 3, 5}));
}

TEST_F(Index, StopsAtTheFirstThatIsTaken) {
  add("default", 1);
  add("a.com", 2);
  int asked = 0;
  EXPECT_TRUE(index_.find("a.com", [&](std::uint32_t) { return ++asked == 1; }));
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(NameIndex().find("a.com", [](std::uint32_t) { return true; }));
}

// A wildcard in the index and one alone have to mean the same.
TEST_F(Index, AgreesWithThePatternsThemselves) {
  constexpr std::array<std::string_view, 6> kPatterns = {"default", "*.com",   "*.b.com",
                                                         "b.com",   "a.b.com", "*.a.b.com"};
  constexpr std::array<std::string_view, 8> kNames = {"",       "com",       "b.com",       "a.b.com",
                                                      "xb.com", "x.a.b.com", "y.x.a.b.com", "b.org"};
  for (std::uint32_t i = 0; i < kPatterns.size(); ++i) add(kPatterns[i], i);
  for (std::string_view name : kNames) {
    Values found = order(name);
    for (std::uint32_t i = 0; i < kPatterns.size(); ++i) {
      EXPECT_EQ(std::ranges::count(found, i), matches(kPatterns[i], name) ? 1 : 0)
          << kPatterns[i] << " " << name;
    }
  }
}

}  // namespace
}  // namespace lockgate
