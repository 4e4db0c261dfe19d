#include "proxy/retry_budget.h"

#include <gtest/gtest.h>

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1'700'000'000'300'000'000};

int taken(RetryBudget& budget, Instant now, std::uint32_t percent) {
  int count = 0;
  while (count < 10'000 && budget.take(now, percent)) ++count;
  return count;
}

TEST(RetryBudget, HasAFewInAnyCase) {
  RetryBudget budget;
  EXPECT_EQ(taken(budget, kNow, 0), 100);
  EXPECT_EQ(taken(budget, kNow + 8s, 20), 0);
  EXPECT_EQ(taken(budget, kNow + 10s, 20), 100);
}

TEST(RetryBudget, IsAShareOfWhatHasBegun) {
  RetryBudget budget;
  for (int n = 0; n < 1000; ++n) budget.begin(kNow + n * 1ms);
  EXPECT_EQ(taken(budget, kNow + 1s, 20), 200);
  for (int n = 0; n < 1000; ++n) budget.begin(kNow + 2s);
  EXPECT_EQ(taken(budget, kNow + 2s, 20), 200);
  EXPECT_EQ(taken(budget, kNow + 2s, 150), 2600);
}

TEST(RetryBudget, ForgetsWhatIsTenSecondsAgo) {
  RetryBudget budget;
  for (int n = 0; n < 10'000; ++n) budget.begin(kNow);
  EXPECT_EQ(taken(budget, kNow + 9s, 20), 2000);
  EXPECT_EQ(taken(budget, kNow + 10s, 20), 0) << "what was taken counts longer than what it was taken of";
  EXPECT_EQ(taken(budget, kNow + 19s, 20), 100);
  EXPECT_EQ(taken(budget, kNow + 1h, 20), 100);
}

}  // namespace
}  // namespace lockgate::proxy
