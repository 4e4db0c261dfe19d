#include "base/time_text.h"

#include <gtest/gtest.h>

namespace lockgate {
namespace {

TEST(TimeText, IsRfc3339WithMilliseconds) {
  EXPECT_EQ(time_text(1'700'000'000'000'000'000), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(time_text(1'700'000'000'123'999'999), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(time_text(1'700'000'001'007'000'000), "2023-11-14T22:13:21.007Z");
}

TEST(TimeText, IsAsApacheWritesIt) {
  EXPECT_EQ(common_time_text(1'700'000'000'999'999'999), "14/Nov/2023:22:13:20 +0000");
  EXPECT_EQ(common_time_text(951'782'400'000'000'000), "29/Feb/2000:00:00:00 +0000");
}

}  // namespace
}  // namespace lockgate
