#include "wire/byte_range.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

std::string of(std::string_view value, std::uint64_t size) {
  ByteRange range = read_byte_range(value, size);
  if (range.kind == ByteRange::Kind::none) return "none";
  if (range.kind == ByteRange::Kind::whole) return range.size == size && range.first == 0 ? "whole" : "?";
  return fmt::format("{}+{}", range.first, range.size);
}

TEST(ByteRange, IsOnePartOfTheWhole) {
  EXPECT_EQ(of("bytes=0-0", 100), "0+1");
  EXPECT_EQ(of("bytes=0-99", 100), "0+100");
  EXPECT_EQ(of("bytes=10-19", 100), "10+10");
  EXPECT_EQ(of("bytes=90-1000", 100), "90+10");
  EXPECT_EQ(of("bytes=99-", 100), "99+1");
  EXPECT_EQ(of("bytes=-1", 100), "99+1");
  EXPECT_EQ(of("bytes=-1000", 100), "0+100");
  EXPECT_EQ(of("Bytes= 5-6 ", 100), "5+2");
  EXPECT_EQ(of("bytes=0-18446744073709551615", 100), "0+100");
  EXPECT_EQ(of("bytes=-99999999999999999999", 100), "0+100");
}

TEST(ByteRange, ThatIsNotThereIsTold) {
  EXPECT_EQ(of("bytes=100-", 100), "none");
  EXPECT_EQ(of("bytes=100-200", 100), "none");
  EXPECT_EQ(of("bytes=99999999999999999999-", 100), "none");
  EXPECT_EQ(of("bytes=-0", 100), "none");
  EXPECT_EQ(of("bytes=0-", 0), "none");
}

TEST(ByteRange, OfAnotherFormIsPassedOver) {
  for (const char* value : {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=9-5", "bytes=a-b",
                            "bytes=1-b", "bytes=--5", "bytes=+1-2", "bytes=0x1-2", "bytes=1 -2", "items=0-5",
                            "bytes 0-5", "bytes=0-1,3-4", "bytes=0-1,", "bytes=0-0-0", "bytes = 0-1"}) {
    EXPECT_EQ(of(value, 100), "whole") << value;
  }
  EXPECT_EQ(of("bytes=-5", 0), "whole");
}

}  // namespace
}  // namespace lockgate::wire
