#include "proxy/endpoint.h"

#include <gtest/gtest.h>

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1'000'000'000};
constexpr config::Ejection kThree{.failures = 3, .time = 10s};

TEST(Endpoint, IsEjectedByFailuresInARowAndComesBackInTime) {
  Endpoint endpoint("tcp://192.0.2.1:443");
  EXPECT_FALSE(endpoint.connect_failed(kNow, kThree));
  EXPECT_FALSE(endpoint.connect_failed(kNow, kThree));
  EXPECT_TRUE(endpoint.usable(kNow));
  EXPECT_TRUE(endpoint.connect_failed(kNow, kThree));
  EXPECT_FALSE(endpoint.usable(kNow + 9999ms));
  EXPECT_TRUE(endpoint.up());
  EXPECT_TRUE(endpoint.usable(kNow + 10s));
}

TEST(Endpoint, CountsFailuresInARowAfreshAfterASuccessAndAfterAnEjection) {
  Endpoint endpoint("tcp://192.0.2.1:443");
  for (int n = 0; n < 5; ++n) {
    EXPECT_FALSE(endpoint.connect_failed(kNow, kThree));
    EXPECT_FALSE(endpoint.connect_failed(kNow, kThree));
    endpoint.connect_succeeded();
  }
  for (int n = 1; n <= 6; ++n) EXPECT_EQ(endpoint.connect_failed(kNow, kThree), n % 3 == 0);
  EXPECT_EQ(endpoint.failures(), 16u);
  EXPECT_EQ(endpoint.successes(), 5u);
}

TEST(Endpoint, IsNeverEjectedIfTheConfigurationSaysSo) {
  Endpoint endpoint("tcp://192.0.2.1:443");
  for (int n = 0; n < 100; ++n) EXPECT_FALSE(endpoint.connect_failed(kNow, {.failures = 0}));
  EXPECT_TRUE(endpoint.usable(kNow));
}

TEST(Endpoint, IsNotUsableWhileItIsDown) {
  Endpoint endpoint("tcp://192.0.2.1:443");
  endpoint.set_up(false);
  EXPECT_FALSE(endpoint.usable(kNow));
  endpoint.connect_succeeded();
  EXPECT_FALSE(endpoint.usable(kNow));
  endpoint.set_up(true);
  EXPECT_TRUE(endpoint.usable(kNow));
}

TEST(AtEndpoint, CountsOneConnectionWhereverItIsMoved) {
  auto first = std::make_shared<Endpoint>("first"), second = std::make_shared<Endpoint>("second");
  {
    AtEndpoint at(first);
    AtEndpoint moved(std::move(at));
    EXPECT_EQ(first->connections(), 1u);
    EXPECT_EQ(moved.endpoint(), first.get());
    AtEndpoint other(second);
    moved = std::move(other);
    EXPECT_EQ(moved.endpoint(), second.get());
    EXPECT_EQ(second->connections(), 1u);
  }
  EXPECT_EQ(first->connections(), 0u);
  EXPECT_EQ(second->connections(), 0u);
}

}  // namespace
}  // namespace lockgate::proxy
