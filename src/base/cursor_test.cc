#include "base/cursor.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

constexpr std::string_view kBytes("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", 10);

TEST(Cursor, ReadsBigEndianNumbers) {
  Cursor cursor(as_bytes(kBytes));
  EXPECT_EQ(cursor.u8(), 0x01);
  EXPECT_EQ(cursor.u16(), 0x0203);
  EXPECT_EQ(cursor.u24(), 0x040506u);
  EXPECT_EQ(cursor.u32(), 0x0708090au);
  EXPECT_TRUE(cursor.at_end());
}

TEST(Cursor, GivesNothingAfterAReadThatWantedTooMuch) {
  Cursor cursor(as_bytes(kBytes));
  cursor.take(8);
  EXPECT_EQ(cursor.u32(), 0u);
  EXPECT_FALSE(cursor.ok());
  EXPECT_EQ(cursor.u8(), 0);  // though there were two left
  EXPECT_EQ(cursor.size(), 0u);
  EXPECT_FALSE(cursor.at_end());
  EXPECT_TRUE(cursor.rest().empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(Cursor, ReadsVectorsByTheirLength) {
  Cursor cursor(
      as_bytes(std::string_view("\x02"
                                "ab\x00\x01"
                                "c\x00\x00\x03"
                                "def\x00",
                                13)));
  EXPECT_EQ(as_text(cursor.vector8()), "ab");
  EXPECT_EQ(as_text(cursor.vector16()), "c");
  EXPECT_EQ(as_text(cursor.vector24()), "def");
  EXPECT_TRUE(cursor.vector8().empty());
  EXPECT_TRUE(cursor.at_end());
}

TEST(Cursor, FailsOnAVectorLongerThanTheRest) {
  Cursor cursor(
      as_bytes("\x05"
               "abcd"));
  EXPECT_TRUE(cursor.vector8().empty());
  EXPECT_FALSE(cursor.ok());
}

TEST(Cursor, TakesTheRest) {
  Cursor cursor(as_bytes("abc"));
  cursor.u8();
  EXPECT_EQ(as_text(cursor.rest()), "bc");
  EXPECT_TRUE(cursor.at_end());
  EXPECT_TRUE(cursor.rest().empty());
  EXPECT_TRUE(cursor.ok());
}

}  // namespace
}  // namespace lockgate
