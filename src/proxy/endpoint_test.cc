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

TEST(Endpoint, IsEjectedByBadAnswersInARowToo) {
  constexpr config::Ejection kTwo{.failures = 3, .server_errors = 2, .time = 10s};
  Endpoint endpoint("http://app");
  EXPECT_FALSE(endpoint.answered(false, kNow, kTwo));
  EXPECT_FALSE(endpoint.answered(true, kNow, kTwo));
  EXPECT_FALSE(endpoint.answered(false, kNow, kTwo));
  endpoint.connect_succeeded();  // which says nothing of answers
  EXPECT_TRUE(endpoint.answered(false, kNow, kTwo));
  EXPECT_FALSE(endpoint.usable(kNow + 9s));
  EXPECT_TRUE(endpoint.usable(kNow + 10s));
  for (int n = 0; n < 10; ++n) EXPECT_FALSE(endpoint.answered(false, kNow, {})) << "off unless asked for";
}

TEST(Endpoint, TakesNewAndKnownClientsAsTheOperatorSays) {
  Endpoint endpoint("http://app");
  EXPECT_TRUE(endpoint.takes_new() && endpoint.takes_known());
  endpoint.administer(Administration::draining, kNow);
  EXPECT_TRUE(!endpoint.takes_new() && endpoint.takes_known());
  endpoint.administer(Administration::disabled, kNow);
  EXPECT_FALSE(endpoint.takes_new() || endpoint.takes_known());
  EXPECT_EQ(endpoint.share(kNow, 10s), Endpoint::kWhole);
  endpoint.administer(Administration::enabled, kNow);
  EXPECT_TRUE(endpoint.takes_new() && endpoint.takes_known());
  EXPECT_EQ(endpoint.share(kNow + 5s, 10s), Endpoint::kWhole / 2) << "it has come back";
  endpoint.administer(Administration::enabled, kNow + 5s);
  EXPECT_EQ(endpoint.share(kNow + 5s, 10s), Endpoint::kWhole / 2) << "it was there";
}

TEST(Endpoint, IsNamedInRequestsByItsUrl) {
  EXPECT_EQ(authority_of(Endpoint("http://app1:50000")), "app1:50000");
  EXPECT_EQ(authority_of(Endpoint("https://[2001:db8::1]")), "[2001:db8::1]");
  EXPECT_EQ(authority_of(Endpoint("unix:/run/app.sock")), "localhost");
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
