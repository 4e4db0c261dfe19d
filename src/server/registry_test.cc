#include "server/registry.h"

#include <gtest/gtest.h>

#include "server/made_nothing.h"

namespace lockgate::server {
namespace {

class Registered : public testing::Test {
 protected:
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Nothing nothing_;
  LogRules rules_;
  LogWriter logs_{clock_, rules_, 1};
  proxy::Keeper keeper_{reactor_, nothing_, nothing_, [](const auto&, const auto&) {}};
  tls::Keyring keyring_{clock_, 1};
  guard::Guardroom guardroom_{1};
  ProcessRegistry registry_{keeper_, keyring_, guardroom_, logs_, 1, [] {}};
};

TEST_F(Registered, AGateIsTheSameOverReloadsAndTakesItsNewLimit) {
  auto gate = registry_.gate("listener front", 1);
  EXPECT_TRUE(gate->enter());
  EXPECT_FALSE(gate->enter());
  EXPECT_EQ(registry_.gate("listener front", 2), gate);
  EXPECT_TRUE(gate->enter());
}

TEST_F(Registered, CountsOfRequestsGoOnOverReloads) {
  auto tally = registry_.request_tally("front", "app", "/x");
  EXPECT_EQ(registry_.request_tally("front", "app", "/x"), tally);
  EXPECT_NE(registry_.request_tally("front", "app", "/y"), tally);
  registry_.forget_unused();
  EXPECT_EQ(registry_.request_tallies().size(), 2u);
}

// Who waited at it when a reload took the limit away would wait until somebody leaves.
TEST_F(Registered, AGateWithoutALimitAnyMoreLetsInWhoWaitsAtIt) {
  auto gate = registry_.gate("listener front", 1);
  EXPECT_TRUE(gate->enter());
  EXPECT_FALSE(gate->enter());
  EXPECT_EQ(registry_.gate("listener front", 0), nullptr);
  EXPECT_TRUE(gate->enter());
}

TEST_F(Registered, AGateThatNobodyUsesIsForgotten) {
  ASSERT_TRUE(registry_.gate("listener front", 1)->enter());
  registry_.forget_unused();
  EXPECT_TRUE(registry_.gate("listener front", 1)->enter());
}

}  // namespace
}  // namespace lockgate::server
