#include "wire/entity_tag.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

constexpr auto kStrong = Comparison::strong, kWeak = Comparison::weak;

TEST(EntityTag, IsFoundAmongOthers) {
  for (const char* list : {"*", R"("a")", R"("b", "a")", R"("b","a")", R"("a", "b")", R"(, ,"a")",
                           R"("b" , "a")", R"("b,c", "a")", "\"b\"\t,\t\"a\""}) {
    EXPECT_TRUE(lists_tag(list, R"("a")", kStrong)) << list;
    EXPECT_TRUE(lists_tag(list, R"("a")", kWeak)) << list;
  }
}

TEST(EntityTag, IsNotFoundWhereItIsNot) {
  for (const char* list : {"", "a", R"("A")", R"("a)", R"(a")", R"("b" "a")", R"(b, "a")", R"(w/"a")",
                           R"(W /"a")", R"("b, "a")", "**", "*, \"a\"", ",,,", R"("")"}) {
    EXPECT_FALSE(lists_tag(list, R"("a")", kStrong)) << list;
    EXPECT_FALSE(lists_tag(list, R"("a")", kWeak)) << list;
  }
}

TEST(EntityTag, ThatIsWeakMatchesWeaklyOnly) {
  for (const char* list : {R"(W/"a")", R"("b", W/"a")"}) {
    EXPECT_TRUE(lists_tag(list, R"("a")", kWeak)) << list;
    EXPECT_FALSE(lists_tag(list, R"("a")", kStrong)) << list;
  }
}

TEST(EntityTag, IsToldFromADate) {
  EXPECT_TRUE(is_like_tag(R"("a")"));
  EXPECT_TRUE(is_like_tag(R"(W/"a")"));
  EXPECT_FALSE(is_like_tag("Wed, 09 Nov 1994 08:49:37 GMT"));
  EXPECT_FALSE(is_like_tag(""));
}

}  // namespace
}  // namespace lockgate::wire
