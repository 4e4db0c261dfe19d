#include "server/overview.h"

#include <gtest/gtest.h>

#include "server/made_nothing.h"

namespace lockgate::server {
namespace {

config::Endpoint endpoint(const char* address) {
  return {.address = *SocketAddress::parse(address), .url = std::string("tcp://") + address};
}

TEST(OverviewOfUpstreams, ShowsOneThatAReloadHasChangedOnce) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  Nothing nothing;
  proxy::Keeper keeper(reactor, nothing, nothing, [](const auto&, const auto&) {});
  config::Upstream old{.name = "portal", .endpoints = {endpoint("192.0.2.1:443"), endpoint("192.0.2.2:443")}};
  config::Upstream fresh{.name = "portal",
                         .endpoints = {endpoint("192.0.2.2:443"), endpoint("192.0.2.3:443")}};
  auto first = keeper.keep(old, {}), second = keeper.keep(fresh, {});
  auto upstreams = overview_of(keeper, clock.now());
  ASSERT_EQ(upstreams.size(), 1u);
  EXPECT_EQ(upstreams[0].name, "portal");
  EXPECT_TRUE(upstreams[0].resolved);
  ASSERT_EQ(upstreams[0].endpoints.size(), 3u);
  EXPECT_EQ(upstreams[0].endpoints[0].addresses.size(), 1u);
}

TEST(OverviewOfUpstreams, SumsWhatTheWorkersDidWithAnEndpoint) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  Nothing nothing;
  std::shared_ptr<const proxy::Targets> targets;
  proxy::Keeper keeper(
      reactor, nothing, nothing, [&](const auto&, auto told) { targets = std::move(told); }, 2);
  auto upstream = keeper.keep({.name = "portal", .endpoints = {endpoint("192.0.2.1:443")}}, {});
  for (std::size_t worker : {0u, 1u}) {
    proxy::Endpoint::Row& row = targets->front().endpoint->row(worker);
    row.requests.add(3);
    row.idle.add(2);
    row.idle.take(1);
    row.answers.add(std::chrono::milliseconds(2));
  }
  auto seen = overview_of(keeper, clock.now()).at(0).endpoints.at(0);
  EXPECT_EQ(seen.requests, 6u);
  EXPECT_EQ(seen.idle, 2u);
  EXPECT_EQ(seen.answers.counts[1], 2u);
}

TEST(OverviewOfUpstreams, ShowsAnEndpointThatIsPutAside) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  Nothing nothing;
  std::shared_ptr<const proxy::Targets> targets;
  proxy::Keeper keeper(reactor, nothing, nothing, [&](const auto&, auto told) { targets = std::move(told); });
  auto upstream = keeper.keep({.name = "portal", .endpoints = {endpoint("192.0.2.1:443")}}, {});
  for (int i = 0; i < 3; ++i) targets->front().endpoint->connect_failed(clock.now(), {});
  auto seen = overview_of(keeper, clock.now()).at(0).endpoints.at(0);
  EXPECT_EQ(seen.label, "tcp://192.0.2.1:443");
  EXPECT_TRUE(seen.up && seen.ejected);
  EXPECT_EQ(seen.failures, 3u);
  EXPECT_FALSE(overview_of(keeper, clock.now() + std::chrono::seconds(11))[0].endpoints[0].ejected);
}

}  // namespace
}  // namespace lockgate::server
