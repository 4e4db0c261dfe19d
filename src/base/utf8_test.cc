#include "base/utf8.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

TEST(Utf8, CharactersHaveASize) {
  EXPECT_EQ(utf8_size("ab"), 1u);
  EXPECT_EQ(utf8_size("\xc3\xa9x"), 2u);
  EXPECT_EQ(utf8_size("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_size("\xf0\x9f\x98\x80"), 4u);
}

TEST(Utf8, WhatIsNoCharacterHasNone) {
  for (std::string_view text :
       {"\x80", "\xc3", "\xc3(", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8_size(text), 0u);
  }
}

TEST(Utf8, KnowsWhatMovesATerminal) {
  for (std::string_view text : {"\x1b", "\n", "\x7f", "\xc2\x80", "\xc2\x9b"}) EXPECT_TRUE(is_control(text));
  for (std::string_view text : {" ", "~", "\xc2\xa0", "\xc3\x9b", "\xe2\x82\x9b"})
    EXPECT_FALSE(is_control(text));
}

TEST(Utf8, KnowsWhatIsNotSeenOrTurnsWhatIs) {
  for (std::string_view text :
       {"\u00a0", "\u00ad", "\u061c", "\u2000", "\u200b",     "\u200f",    "\u2028", "\u2029",
        "\u202a", "\u202e", "\u202f", "\u2060", "\u2066",     "\u2069",    "\u206f", "\u3000",
        "\u3164", "\ufe0f", "\ufeff", "\ufffb", "\U000e0041", "\U000e0fff"})
    EXPECT_TRUE(is_invisible(text)) << text;
  for (std::string_view text : {" ", "a", "~", "\u00a1", "\u00ae", "\u00fc", "\u2010", "\u2027", "\u2030",
                                "\u20ac", "\u3001", "\u4e2d", "\ufffd", "\U0001f600", "\U000e1000"})
    EXPECT_FALSE(is_invisible(text)) << text;
}

TEST(Utf8, IsTextWithoutControlCharacters) {
  for (std::string_view text : {"", "a b", "m\u00fcller", "a\u00a0b"}) EXPECT_TRUE(is_text(text)) << text;
  for (std::string_view text : {"a\n", "\t", "\xff", "a\xc3", "\xc2\x80"}) EXPECT_FALSE(is_text(text));
}

}  // namespace
}  // namespace lockgate
