#include "proxy/balance.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1'000'000'000};
constexpr config::Ejection kAtOnce{.failures = 1};

Targets targets_of(const std::vector<std::uint32_t>& weights) {
  Targets targets;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    targets.push_back({std::make_shared<Endpoint>(fmt::format("tcp://192.0.2.{}:443", i)), {}, weights[i]});
  }
  return targets;
}

/// How often each target is picked.
std::vector<int> counts(Balancer& balancer, const Targets& targets, int picks) {
  std::vector<int> counted(targets.size());
  for (int n = 0; n < picks; ++n) {
    ++counted[static_cast<std::size_t>(balancer.pick(targets, {}, fmt::format("key {}", n), kNow))];
  }
  return counted;
}

std::vector<int> hashed(const Targets& targets, int keys, std::span<const int> tried = {}) {
  Balancer balancer(config::Balance::consistent_hash, 1);
  std::vector<int> picked;
  for (int n = 0; n < keys; ++n)
    picked.push_back(balancer.pick(targets, tried, fmt::format("key {}", n), kNow));
  return picked;
}

class EveryBalance : public testing::TestWithParam<config::Balance> {
 protected:
  Balancer balancer_{GetParam(), 42};
};

TEST(RoundRobin, GivesEachExactlyItsWeightInEveryRound) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Targets targets = targets_of({5, 1, 3});
    Balancer balancer(config::Balance::round_robin, seed);
    for (int round = 0; round < 10; ++round) {
      EXPECT_EQ(counts(balancer, targets, 9), (std::vector<int>{5, 1, 3})) << "round " << round;
    }
  }
}

TEST(RoundRobin, SpreadsTheHeavyAmongTheLight) {
  Targets targets = targets_of({2, 1, 1});
  Balancer balancer(config::Balance::round_robin, 3);
  int before = -1;
  for (int n = 0; n < 16; ++n) {
    int picked = balancer.pick(targets, {}, "", kNow);
    if (before == 0) EXPECT_NE(picked, 0);
    before = picked;
  }
}

TEST(RoundRobin, StartsAtDifferentPlacesInDifferentWorkers) {
  Targets targets = targets_of({1, 1, 1, 1});
  std::map<int, int> first;
  for (std::uint64_t worker = 1; worker <= 32; ++worker) {
    Balancer balancer(config::Balance::round_robin, worker * 0x9e3779b97f4a7c15ULL);
    ++first[balancer.pick(targets, {}, "", kNow)];
  }
  EXPECT_EQ(first.size(), 4u);
}

TEST(RoundRobin, GoesOnWhenTheNumberOfTargetsChanges) {
  Balancer balancer(config::Balance::round_robin, 3);
  Targets three = targets_of({1, 1, 1}), two = targets_of({1, 1});
  EXPECT_EQ(counts(balancer, three, 3), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(counts(balancer, two, 4), (std::vector<int>{2, 2}));
  EXPECT_EQ(counts(balancer, three, 6), (std::vector<int>{2, 2, 2}));
}

TEST(LeastConnections, PicksTheLeastLoadedForItsWeight) {
  Targets targets = targets_of({1, 4});
  Balancer balancer(config::Balance::least_connections, 3);
  std::vector<AtEndpoint> inside;
  for (int n = 0; n < 50; ++n) {
    int picked = balancer.pick(targets, {}, "", kNow);
    inside.emplace_back(targets[static_cast<std::size_t>(picked)].endpoint);
  }
  EXPECT_EQ(targets[0].endpoint->connections(), 10u);
  EXPECT_EQ(targets[1].endpoint->connections(), 40u);
  inside.clear();
  EXPECT_EQ(targets[1].endpoint->connections(), 0u);
}

TEST(LeastConnections, SpreadsAmongEquals) {
  Targets targets = targets_of({1, 1, 1});
  Balancer balancer(config::Balance::least_connections, 3);
  for (int count : counts(balancer, targets, 300)) EXPECT_GT(count, 50);
}

TEST(RandomTwo, TakesTheLessLoadedOfTwo) {
  Targets targets = targets_of({1, 1});
  Balancer balancer(config::Balance::random_two, 3);
  AtEndpoint inside(targets[0].endpoint);
  EXPECT_EQ(counts(balancer, targets, 100), (std::vector<int>{0, 100}));
}

TEST(RandomTwo, NeverTakesTheMostLoadedOfMany) {
  Targets targets = targets_of({1, 1, 1, 1});
  Balancer balancer(config::Balance::random_two, 3);
  AtEndpoint inside(targets[2].endpoint);
  auto counted = counts(balancer, targets, 300);
  EXPECT_EQ(counted[2], 0);
  for (std::size_t i : {0u, 1u, 3u}) EXPECT_GT(counted[i], 50);
}

TEST(ConsistentHash, PicksTheSameForTheSameKeyInEveryWorker) {
  Targets targets = targets_of({1, 1, 1, 1, 1});
  EXPECT_EQ(hashed(targets, 200), hashed(targets, 200));
  Targets reversed(targets.rbegin(), targets.rend());
  auto picked = hashed(targets, 200), picked_reversed = hashed(reversed, 200);
  for (std::size_t n = 0; n < picked.size(); ++n) EXPECT_EQ(picked[n], 4 - picked_reversed[n]);
}

TEST(ConsistentHash, MovesOnlyTheKeysOfAnEndpointThatIsLost) {
  Targets targets = targets_of({1, 1, 1, 1, 1});
  auto before = hashed(targets, 500);
  targets[2].endpoint->set_up(false);
  auto after = hashed(targets, 500);
  std::map<int, int> heirs;
  for (std::size_t n = 0; n < before.size(); ++n) {
    if (before[n] != 2) {
      EXPECT_EQ(after[n], before[n]);
    } else {
      ++heirs[after[n]];
    }
  }
  EXPECT_EQ(heirs.size(), 4u);  // all others share what it had
  EXPECT_FALSE(heirs.contains(2));
  targets[2].endpoint->set_up(true);
  EXPECT_EQ(hashed(targets, 500), before);
}

TEST(ConsistentHash, GivesSharesByWeight) {
  Targets targets = targets_of({1, 3});
  Balancer balancer(config::Balance::consistent_hash, 1);
  auto counted = counts(balancer, targets, 4000);
  EXPECT_NEAR(counted[0], 1000, 120);
}

TEST_P(EveryBalance, UsesBackupsOnlyWhenNoPrimaryIsLeft) {
  Targets targets = targets_of({1, 1, 1});
  targets[0].backup = true;
  EXPECT_EQ(counts(balancer_, targets, 60)[0], 0);
  targets[1].endpoint->set_up(false);
  EXPECT_EQ(counts(balancer_, targets, 10)[2], 10);
  targets[2].endpoint->set_up(false);
  EXPECT_EQ(counts(balancer_, targets, 10)[0], 10);
}

TEST_P(EveryBalance, UsesWhatWasEjectedOnlyWhenNothingElseIsLeft) {
  Targets targets = targets_of({1, 1, 1});
  targets[2].backup = true;
  EXPECT_TRUE(targets[0].endpoint->connect_failed(kNow, kAtOnce));
  EXPECT_EQ(counts(balancer_, targets, 20)[1], 20);
  EXPECT_TRUE(targets[1].endpoint->connect_failed(kNow, kAtOnce));
  EXPECT_EQ(counts(balancer_, targets, 20)[2], 20);  // a backup before an ejected one
  targets[2].endpoint->set_up(false);
  EXPECT_EQ(counts(balancer_, targets, 20)[2], 0);
  targets[1].endpoint->set_up(false);
  EXPECT_EQ(counts(balancer_, targets, 20)[0], 20);
}

TEST_P(EveryBalance, NeverPicksWhatTheOperatorHasTakenOut) {
  Targets targets = targets_of({1, 1, 1});
  targets[0].endpoint->administer(Administration::draining, kNow);
  targets[1].endpoint->administer(Administration::disabled, kNow);
  EXPECT_EQ(counts(balancer_, targets, 20)[2], 20);
  targets[2].endpoint->set_up(false);
  EXPECT_EQ(balancer_.pick(targets, {}, "key", kNow), -1);
  targets[1].endpoint->administer(Administration::enabled, kNow);
  EXPECT_EQ(counts(balancer_, targets, 20)[1], 20);
}

TEST_P(EveryBalance, NeverPicksWhatIsDownOrWasTried) {
  Targets targets = targets_of({1, 1, 1});
  targets[1].endpoint->set_up(false);
  std::vector<int> tried = {0};
  for (int n = 0; n < 20; ++n) EXPECT_EQ(balancer_.pick(targets, tried, "key", kNow), 2);
  tried.push_back(2);
  EXPECT_EQ(balancer_.pick(targets, tried, "key", kNow), -1);
  EXPECT_EQ(balancer_.pick({}, {}, "key", kNow), -1);
}

TEST_P(EveryBalance, TriesEveryTargetOnceForOneConnection) {
  Targets targets = targets_of({1, 5, 1, 2});
  targets[3].backup = true;
  std::vector<int> tried;
  for (int n = 0; n < 4; ++n) {
    int picked = balancer_.pick(targets, tried, "key", kNow);
    ASSERT_GE(picked, 0);
    EXPECT_EQ(std::ranges::count(tried, picked), 0);
    tried.push_back(picked);
  }
  EXPECT_EQ(tried.back(), 3);  // the backup comes last
  EXPECT_EQ(balancer_.pick(targets, tried, "key", kNow), -1);
}

/// How often the first of two is picked, of 1000 times, `later` than it came back; all others are free.
int share_later(config::Balance how, Duration later, const std::vector<std::uint32_t>& weights = {1, 1}) {
  Targets targets = targets_of(weights);
  targets[0].endpoint->came_back(kNow);
  Balancer balancer(how, 7, 10s);
  int picked = 0;
  for (int n = 0; n < 1000; ++n) picked += balancer.pick(targets, {}, "", kNow + later) == 0;
  return picked;
}

TEST(SlowStart, GrowsToTheFullShare) {
  auto expected = [](double share) { return 1000 * share / (share + 1); };
  for (double part : {0.0, 0.02, 0.1, 0.25, 0.5, 0.9}) {
    auto later = std::chrono::duration_cast<Duration>(part * 10s);
    EXPECT_NEAR(share_later(config::Balance::round_robin, later), expected(std::max(part, 0.05)), 2) << part;
  }
  EXPECT_NEAR(share_later(config::Balance::round_robin, 5s, {4, 1}), expected(2), 2);
  EXPECT_EQ(share_later(config::Balance::round_robin, 10s), 500);
  EXPECT_EQ(share_later(config::Balance::consistent_hash, 0s),
            share_later(config::Balance::consistent_hash, 10s));
}

TEST(SlowStart, LetsTheOthersHaveMoreConnectionsMeanwhile) {
  for (config::Balance how : {config::Balance::least_connections, config::Balance::random_two}) {
    Targets targets = targets_of({1, 1});
    targets[0].endpoint->came_back(kNow);
    Balancer balancer(how, 7, 10s);
    std::vector<AtEndpoint> inside;
    for (int n = 0; n < 150; ++n) {
      int picked = balancer.pick(targets, {}, "", kNow + 5s);
      inside.emplace_back(targets[static_cast<std::size_t>(picked)].endpoint);
    }
    EXPECT_EQ(targets[0].endpoint->connections(), 50u);
  }
}

TEST(SlowStart, IsForWhatHasComeBackOnly) {
  Targets targets = targets_of({1, 1, 1});
  Balancer balancer(config::Balance::round_robin, 7, 10s);
  EXPECT_EQ(counts(balancer, targets, 30), (std::vector<int>{10, 10, 10}));
  targets[0].endpoint->came_back(kNow);
  Balancer without(config::Balance::round_robin, 7);
  EXPECT_EQ(counts(without, targets, 30), (std::vector<int>{10, 10, 10}));
}

TEST(SlowStart, FollowsTheEndOfAnEjection) {
  Targets targets = targets_of({1, 1});
  targets[0].endpoint->connect_failed(kNow, {.failures = 1, .time = 10s});
  Balancer balancer(config::Balance::round_robin, 7, 10s);
  int picked = 0;
  for (int n = 0; n < 300; ++n) picked += balancer.pick(targets, {}, "", kNow + 15s) == 0;
  EXPECT_NEAR(picked, 100, 2);
}

INSTANTIATE_TEST_SUITE_P(All, EveryBalance,
                         testing::Values(config::Balance::round_robin, config::Balance::least_connections,
                                         config::Balance::random_two, config::Balance::consistent_hash));

}  // namespace
}  // namespace lockgate::proxy
