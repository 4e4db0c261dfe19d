#include "proxy/keeper.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

// A keeper, and what it has published.
class Kept : public testing::Test {
 protected:
  static config::Upstream configured(std::string_view keys) {
    std::string text = "upstreams:\n  up:\n";
    text.append(keys);
    text += "listeners:\n  - { bind: 127.0.0.1:1443, sites: [{ names: [default], pass: { to: up } }] }\n";
    return made_config(text)->upstreams.front();
  }
  std::shared_ptr<const Upstream> keep(std::string_view keys) { return keeper_.keep(configured(keys), {}); }

  int attempts(std::string_view address) {
    return static_cast<int>(std::ranges::count(house_.connector.dialled, made_address(address)));
  }

  /// Until after the next check, which timers of a millisecond's grain tell late.
  void next_check() { house_.pass(5001ms); }

  MadeHouse house_;
  std::vector<std::shared_ptr<const Targets>> published_;
  Keeper keeper_{house_.reactor, house_.connector, house_.journal,
                 [this](const std::shared_ptr<const Upstream>&, std::shared_ptr<const Targets> targets) {
                   published_.push_back(std::move(targets));
                 }};
};

constexpr std::string_view kTwo =
    "    endpoints: ['tcp://192.0.2.1:443', { url: 'unix:/run/x.sock', backup: true }]\n";
constexpr std::string_view kOne = "    endpoints: ['tcp://192.0.2.1:443']\n";
constexpr std::string_view kChecked =
    "    endpoints: ['tcp://192.0.2.1:443']\n"
    "    health: { every: 5s, timeout: 1s, rise: 2, fall: 3 }\n";

TEST_F(Kept, HasTheTargetsOfAddressesAtOnce) {
  auto upstream = keep(kTwo);
  auto targets = keeper_.targets(*upstream);
  ASSERT_TRUE(targets);
  ASSERT_EQ(targets->size(), 2u);
  EXPECT_EQ((*targets)[0].endpoint->label(), "tcp://192.0.2.1:443");
  EXPECT_EQ((*targets)[0].addresses, std::vector{made_address("192.0.2.1:443")});
  EXPECT_FALSE((*targets)[0].backup);
  EXPECT_EQ((*targets)[1].addresses, std::vector{made_address("unix:/run/x.sock")});
  EXPECT_TRUE((*targets)[1].backup);
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0], targets);
}

TEST_F(Kept, IsTheSameUpstreamAsLongAsNothingOfItChanges) {
  auto upstream = keep(kTwo);
  EXPECT_EQ(keep(kTwo), upstream);
  EXPECT_NE(keep(std::string(kTwo) + "    tries: 2\n"), upstream);
  EXPECT_NE(keep(kOne), upstream);
  EXPECT_NE(keeper_.keep(configured(kTwo), {made_address("192.0.2.53:53")}), upstream);
}

TEST_F(Kept, CarriesCountsOverToAChangedUpstream) {
  auto before = keep(kTwo);
  auto endpoint = keeper_.targets(*before)->front().endpoint;
  AtEndpoint inside(endpoint);
  auto after = keep(kOne);
  keeper_.keep_only({after});
  EXPECT_EQ(keeper_.targets(*after)->front().endpoint, endpoint);
  EXPECT_FALSE(keeper_.targets(*before));
}

TEST_F(Kept, ForgetsWhatIsNotUsedThoughAConnectionStillHasIt) {
  auto old = keep(kChecked);
  auto used = keep("    endpoints: ['tcp://192.0.2.2:443']\n");
  house_.settle();
  keeper_.keep_only({used});
  int before = attempts("192.0.2.1:443");
  for (int n = 0; n < 10; ++n) next_check();
  EXPECT_EQ(attempts("192.0.2.1:443"), before);  // nobody checks it any more
  int seen = 0;
  keeper_.each([&](const Upstream& upstream, const Targets* targets) {
    ++seen;
    EXPECT_EQ(&upstream, used.get());
    EXPECT_TRUE(targets);
  });
  EXPECT_EQ(seen, 1);
  EXPECT_NE(keep(kChecked), old);
}

TEST_F(Kept, MakesNewCountsForAnEndpointThatWasForgotten) {
  auto old = keep(kOne);
  keeper_.targets(*old)->front().endpoint->connect_failed({}, {});
  published_.clear();
  keeper_.keep_only({});
  auto again = keep(kOne);
  EXPECT_EQ(keeper_.targets(*again)->front().endpoint->failures(), 0u);
}

TEST_F(Kept, FallsAndRisesByChecksInARow) {
  SocketAddress address = made_address("192.0.2.1:443");
  house_.connector.answer(address);
  auto upstream = keep(kChecked);
  Endpoint& endpoint = *keeper_.targets(*upstream)->front().endpoint;
  house_.pass(2ms);  // until the plan would have been there
  EXPECT_EQ(attempts("192.0.2.1:443"), 1);
  house_.connector.fail(address, Errc::refused);
  next_check();
  next_check();
  EXPECT_TRUE(endpoint.up());
  house_.connector.answer(address);
  next_check();
  house_.connector.fail(address, Errc::refused);
  for (int failures = 1; failures <= 3; ++failures) {
    EXPECT_TRUE(endpoint.up());
    next_check();
  }
  EXPECT_FALSE(endpoint.up());
  ASSERT_EQ(house_.journal.told.size(), 1u);
  EXPECT_EQ(house_.journal.told[0],
            "endpoint tcp://192.0.2.1:443 of upstream up is down: connecting to the upstream: refused");
  house_.connector.answer(address);
  next_check();
  EXPECT_FALSE(endpoint.up());
  next_check();
  EXPECT_TRUE(endpoint.up());
  EXPECT_EQ(house_.journal.told.back(), "endpoint tcp://192.0.2.1:443 of upstream up is up again");
  EXPECT_EQ(endpoint.failures(), 0u);  // checks are no connections
  EXPECT_EQ(endpoint.connections(), 0u);
}

TEST_F(Kept, TellsWhyItIsDownAndStartsSlowlyWhenItIsBack) {
  SocketAddress address = made_address("192.0.2.1:443");
  house_.connector.fail(address, Errc::refused);
  auto upstream = keep(std::string(kChecked) + "    slow_start: 10s\n");
  Endpoint& endpoint = *keeper_.targets(*upstream)->front().endpoint;
  for (int n = 0; n < 3; ++n) next_check();
  EXPECT_FALSE(endpoint.up());
  EXPECT_EQ(endpoint.fault(), "connecting to the upstream: refused");
  EXPECT_EQ(endpoint.share(house_.clock.now(), 10s), Endpoint::kWhole) << "it has not come back";
  house_.connector.answer(address);
  for (int n = 0; n < 2; ++n) next_check();
  EXPECT_TRUE(endpoint.up());
  EXPECT_EQ(endpoint.fault(), "");
  EXPECT_LT(endpoint.share(house_.clock.now(), 10s), Endpoint::kWhole);
  EXPECT_EQ(endpoint.share(house_.clock.now() + 10s, 10s), Endpoint::kWhole);
}

TEST_F(Kept, SpreadsChecksOverTheRound) {
  std::string endpoints = "    endpoints: [";
  for (int n = 1; n <= 40; ++n) endpoints += fmt::format("'tcp://192.0.2.{}:443', ", n);
  auto upstream = keep(endpoints + "]\n    health: { every: 10s, timeout: 1s }\n");
  house_.pass(2ms);
  EXPECT_EQ(house_.connector.dialled.size(), 40u) << "all at once at first";
  for (int second = 0; second < 30; ++second) {
    std::size_t before = house_.connector.dialled.size();
    for (int n = 0; n < 10; ++n) house_.pass(100ms);
    EXPECT_LT(house_.connector.dialled.size() - before, 15u);
  }
  EXPECT_GE(house_.connector.dialled.size(), 40u * 3) << "each in every round";
}

TEST_F(Kept, HoldsNoAnswerWithinTheTimeoutForAFailure) {
  auto upstream = keep(kChecked);
  Endpoint& endpoint = *keeper_.targets(*upstream)->front().endpoint;
  for (int n = 0; n < 3; ++n) {
    house_.pass(1001ms);
    EXPECT_EQ(endpoint.up(), n < 2);
    next_check();
  }
  EXPECT_FALSE(endpoint.up());
}

TEST_F(Kept, StaysDownOverAReloadUntilItsChecksSaySo) {
  house_.connector.fail(made_address("192.0.2.1:443"), Errc::refused);
  auto before = keep(kChecked);
  for (int n = 0; n < 3; ++n) next_check();
  auto after = keep(std::string(kChecked) + "    tries: 2\n");
  keeper_.keep_only({after});
  Endpoint& endpoint = *keeper_.targets(*after)->front().endpoint;
  EXPECT_FALSE(endpoint.up());
  house_.connector.answer(made_address("192.0.2.1:443"));
  next_check();
  EXPECT_FALSE(endpoint.up());
  next_check();
  EXPECT_TRUE(endpoint.up());
}

TEST_F(Kept, IsUpAgainIfItsChecksAreSwitchedOff) {
  house_.connector.fail(made_address("192.0.2.1:443"), Errc::refused);
  auto before = keep(kChecked);
  for (int n = 0; n < 3; ++n) next_check();
  EXPECT_FALSE(keeper_.targets(*before)->front().endpoint->up());
  auto after = keep(kOne);
  keeper_.keep_only({after});
  EXPECT_TRUE(keeper_.targets(*after)->front().endpoint->up());
}

// A name below .onion fails without a name server being asked (RFC 7686).
TEST_F(Kept, KnowsNoTargetsOfANameWithoutAnswerAndWarnsOnce) {
  auto upstream = keep("    endpoints: ['tcp://app.onion:443']\n");
  for (int n = 0; n < 100; ++n) house_.pass(1s);
  EXPECT_FALSE(keeper_.targets(*upstream));
  EXPECT_TRUE(published_.empty());
  ASSERT_GE(house_.journal.told.size(), 4u);
  EXPECT_LE(house_.journal.told.size(), 10u);  // ever more rarely
  EXPECT_EQ(house_.journal.told[0],
            "upstream up: tcp://app.onion:443 does not resolve: resolving the name: unresolved (no such "
            "name); it is "
            "tried again");
  EXPECT_EQ(house_.journal.levels[0], config::LogLevel::warning);
  for (std::size_t n = 1; n < house_.journal.levels.size(); ++n) {
    EXPECT_EQ(house_.journal.levels[n], config::LogLevel::debug);
  }
}

TEST_F(Kept, GivesAddressesThoughANameBesideThemIsNotAnswered) {
  auto upstream = keeper_.keep(
      configured("    endpoints: ['tcp://app.example:443', 'tcp://192.0.2.1:443']\n"), {net::nobody_at()});
  auto targets = keeper_.targets(*upstream);
  ASSERT_TRUE(targets);
  EXPECT_EQ(targets->size(), 1u);
}

TEST_F(Kept, ResolvesANameOfTheHostsFile) {
  auto upstream = keep("    endpoints: ['tcp://localhost:443']\n");
  for (int n = 0; n < 1000 && !keeper_.targets(*upstream); ++n) house_.pass(1ms);
  auto targets = keeper_.targets(*upstream);
  ASSERT_TRUE(targets);
  for (const auto& address : targets->front().addresses) {
    EXPECT_TRUE(address.ip().is_loopback());
    EXPECT_EQ(address.port(), 443);
  }
}

}  // namespace
}  // namespace lockgate::proxy
