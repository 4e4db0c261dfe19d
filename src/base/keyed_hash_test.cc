#include "base/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate {
namespace {

constexpr HashSecret kSecret{0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(KeyedHash, IsThatOfItsAuthors) {
  std::string text;
  for (char c = 0; c < 15; ++c) text += c;
  EXPECT_EQ(keyed_hash(kSecret, text), 0xa129ca6149be45e5u);
  EXPECT_EQ(keyed_hash(kSecret, ""), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(keyed_hash(kSecret, std::string_view(text).substr(0, 8)), 0x93f5f5799a932462u);
}

TEST(KeyedHash, IsAnotherWithAnotherSecret) {
  EXPECT_NE(keyed_hash(kSecret, "text"), keyed_hash({kSecret[0], kSecret[1] + 1}, "text"));
  EXPECT_NE(keyed_hash(kSecret, "text"), keyed_hash({kSecret[0] + 1, kSecret[1]}, "text"));
}

}  // namespace
}  // namespace lockgate
