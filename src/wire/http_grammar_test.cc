#include "wire/http_grammar.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::wire {
namespace {

TEST(HttpGrammar, KnowsWhatEachByteMayBePartOf) {
  for (int byte = 0; byte < 256; ++byte) {
    char c = static_cast<char>(byte);
    bool alphanumeric = byte < 128 && std::isalnum(byte) != 0;
    bool mark = byte != 0 && std::string_view("!#$%&'*+-.^_`|~").contains(c);
    EXPECT_EQ(is(kOfToken, c), alphanumeric || mark) << byte;
    EXPECT_EQ(is(kOfValue, c), byte == '\t' || (byte >= 0x20 && byte != 0x7f)) << byte;
    EXPECT_EQ(is(kOfTarget, c), byte > 0x20 && byte < 0x7f && byte != '#') << byte;
    EXPECT_EQ(is(kOfSpace, c), byte == ' ' || byte == '\t') << byte;
    EXPECT_EQ(is(kOfNumber, c), byte >= '0' && byte <= '9') << byte;
  }
}

TEST(HttpGrammar, TrimsBlanksAndTabsAndNothingElse) {
  EXPECT_EQ(trimmed(" \t a \t b\t "), "a \t b");
  EXPECT_EQ(trimmed("\r a\n"), "\r a\n");
  EXPECT_EQ(trimmed("\t \t"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(HttpGrammar, FindsTheEndOfAValueWhereverItIs) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      for (char around : {'a', ' ', '\xff', '\x80', '~'}) {
        std::string text(20, around);
        text[at] = static_cast<char>(byte);
        std::size_t expected = is(kOfValue, text[at]) ? text.size() : at;
        ASSERT_EQ(Unread(text).run_of_value().size(), expected) << at << " " << byte;
      }
    }
  }
}

}  // namespace
}  // namespace lockgate::wire
