#include "base/name_table.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

TEST(NameTable, NumbersNamesInTheOrderOfTheirComing) {
  NameTable names;
  EXPECT_EQ(names.add("b").number, 0u);
  EXPECT_EQ(names.add("a").number, 1u);
  EXPECT_EQ(names.add("").number, 2u);
  EXPECT_FALSE(names.add("b").is_new);
  EXPECT_EQ(names.size(), 3u);
  EXPECT_EQ(names.name(0), "b");
  EXPECT_EQ(names.name(2), "");
}

TEST(NameTable, FindsEachOfManyAndNothingElse) {
  NameTable names;
  constexpr std::uint32_t kMany = 100'000;
  for (std::uint32_t i = 0; i < kMany; ++i) names.add("name" + std::to_string(i));
  for (std::uint32_t i = 0; i < kMany; ++i) ASSERT_EQ(names.find("name" + std::to_string(i)), i);
  EXPECT_FALSE(names.find("name"));
  EXPECT_FALSE(names.find("name100000"));
  EXPECT_FALSE(NameTable().find(""));
}

}  // namespace
}  // namespace lockgate
