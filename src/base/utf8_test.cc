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

}  // namespace
}  // namespace lockgate
