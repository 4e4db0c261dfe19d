// How much each of many keys has had: exactly, from many threads, and in a flood of others.
#include "guard/rate_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <thread>

namespace lockgate::guard {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKey = 0x1234'5678'9abc'def0;
constexpr Instant kStart{1};

Quota quota(std::uint64_t amount, Duration period, std::uint64_t burst = 0) {
  return {.amount = amount, .period = period, .burst = burst > 0 ? burst : amount};
}

std::uint64_t of_family(std::uint8_t family, std::uint64_t key) { return key << 8 | family; }

std::uint64_t taken_at(RateTable& table, const Quota& quota, Instant now, int tries = 1000) {
  std::uint64_t taken = 0;
  for (int i = 0; i < tries; ++i) taken += table.take(kKey, quota, 1, now).ok ? 1u : 0u;
  return taken;
}

TEST(RateTable, LetsExactlySoManyThroughInEachPeriod) {
  for (std::uint64_t amount : {1u, 3u, 7u, 10u, 60u, 977u}) {
    for (Duration period : {Duration(1s), Duration(1min), Duration(1h)}) {
      RateTable table(64);
      for (int i = 0; i < 20; ++i)
        EXPECT_EQ(taken_at(table, quota(amount, period), kStart + i * period), amount) << amount << " " << i;
    }
  }
}

TEST(RateTable, LetsOneThroughEachTimeItIsMadeUpFor) {
  RateTable table(64);
  Quota ten = quota(10, 1min, 5);
  EXPECT_EQ(taken_at(table, ten, kStart), 5u);
  EXPECT_EQ(taken_at(table, ten, kStart + 5999ms), 0u);
  EXPECT_EQ(taken_at(table, ten, kStart + 6s), 1u);
  EXPECT_EQ(taken_at(table, ten, kStart + 18s), 2u);
  EXPECT_EQ(taken_at(table, ten, kStart + 1h), 5u);  // the burst, however long nobody came
}

TEST(RateTable, TellsHowLongUntilItWouldBeAllowed) {
  RateTable table(64);
  Quota one = quota(1, 10s);
  EXPECT_TRUE(table.take(kKey, one, 1, kStart).ok);
  Taken refused = table.take(kKey, one, 1, kStart + 4s);
  EXPECT_FALSE(refused.ok);
  EXPECT_EQ(refused.wait, 6s);
  EXPECT_FALSE(table.take(kKey, one, 1, kStart + (4s + refused.wait - 1ns)).ok);
  EXPECT_TRUE(table.take(kKey, one, 1, kStart + 4s + refused.wait).ok);
}

TEST(RateTable, HandsOutTurnsAheadToThePatientOnly) {
  RateTable table(64);
  Quota one = quota(1, 1s);
  EXPECT_EQ(table.take(kKey, one, 1, kStart, 3s).wait, 0s);
  for (Duration turn : {1s, 2s, 3s}) {
    Taken taken = table.take(kKey, one, 1, kStart, 3s);
    EXPECT_TRUE(taken.ok);
    EXPECT_EQ(taken.wait, turn);
  }
  Taken fifth = table.take(kKey, one, 1, kStart, 3s);
  EXPECT_FALSE(fifth.ok);
  EXPECT_EQ(fifth.wait, 4s);
  EXPECT_TRUE(table.take(kKey, one, 1, kStart + 1s, 3s).ok);
}

TEST(RateTable, TakesSomeOfWhatThereIsAndGivesBackWhatWasNotUsed) {
  RateTable table(64);
  Quota megabyte = quota(1'000'000, 1s, 4'000'000);
  EXPECT_EQ(table.take_some(kKey, megabyte, 3'000'000, kStart), 3'000'000u);
  EXPECT_EQ(table.take_some(kKey, megabyte, 3'000'000, kStart), 1'000'000u);
  EXPECT_EQ(table.take_some(kKey, megabyte, 3'000'000, kStart), 0u);
  table.give_back(kKey, megabyte, 500'000);
  EXPECT_EQ(table.take_some(kKey, megabyte, 3'000'000, kStart), 500'000u);
  EXPECT_EQ(table.take_some(kKey, megabyte, 3'000'000, kStart + 100ms), 100'000u);
}

TEST(RateTable, KeepsItsPromiseBetweenThreads) {
  RateTable table(64);
  constexpr int kThreads = 4, kTries = 20'000, kKeys = 8;
  std::array<std::atomic<int>, kKeys> taken{};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTries; ++i) {
        auto which = static_cast<std::size_t>(i % kKeys);  // all of one set
        if (table.take(kKey + which, quota(1000, 1h), 1, kStart).ok) ++taken.at(which);
      }
    });
  }
  threads.clear();
  for (const auto& count : taken) EXPECT_EQ(count, 1000);
}

TEST(RateTable, LetsOneAloneOfThoseWhoBringANewKeyAtOnce) {
  RateTable table;
  constexpr std::uint64_t kNewKeys = 20'000;
  std::array<std::atomic<int>, kNewKeys> taken{};
  // Whoever is first at one goes on to the next, and the others follow.
  std::atomic<std::uint64_t> newest = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kNewKeys; i = std::max(i + 1, newest.load())) {
        newest = i;
        if (table.take((i << 32) + 1, quota(1, 1h), 1, kStart).ok) ++taken.at(i);
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(std::ranges::any_of(taken, [](int count) { return count > 1; }));
}

TEST(RateTable, NeverGrowsAndKeepsAHeavyKeyLimitedInAFloodOfOthers) {
  RateTable table;
  const std::size_t bytes = table.bytes();
  EXPECT_EQ(bytes, RateTable::kCells * 16);
  Quota ten = quota(10, 1min);
  std::mt19937_64 random(7);  // NOLINT: the same each time
  std::uint64_t heavy = 0;
  Instant now = kStart;
  for (int i = 0; i < 1'000'000; ++i) {  // in ten seconds
    now = now + 10us;
    table.take(of_family(static_cast<std::uint8_t>(kKey), random()), ten, 1, now);
    if (i % 100 == 0) heavy += table.take(kKey, ten, 1, now).ok ? 1u : 0u;
  }
  EXPECT_EQ(table.bytes(), bytes);
  EXPECT_EQ(heavy, 11u);  // ten at once, and one that was made up for
}

TEST(RateTable, ForgetsWhatIsNearestToBeingMadeUpFor) {
  RateTable table(RateTable::kWays);  // a single set
  Quota ten = quota(10, 1min);
  for (std::uint64_t key = 1; key <= 8; ++key) {
    for (std::uint64_t i = 0; i < key; ++i) EXPECT_TRUE(table.take(of_family(1, key), ten, 1, kStart).ok);
  }
  // It takes the place of key 1, and none of its debt.
  EXPECT_TRUE(table.take(of_family(1, 100), ten, 10, kStart).ok);
  for (std::uint64_t key = 2; key <= 8; ++key) {
    EXPECT_FALSE(table.take(of_family(1, key), ten, 11 - key, kStart).ok) << key;
  }
  EXPECT_TRUE(table.take(of_family(1, 1), ten, 10, kStart).ok);  // it begins anew
}

TEST(RateTable, LeavesEachFamilyItsShareOfASet) {
  RateTable table(RateTable::kWays);
  Quota slow = quota(1, 1h), fast = quota(1, 1s);
  for (std::uint64_t key = 1; key <= 8; ++key) EXPECT_TRUE(table.take(of_family(1, key), fast, 1, kStart).ok);
  for (std::uint64_t key = 1; key <= 100; ++key) table.take(of_family(2, key), slow, 1, kStart);
  int left = 0;
  for (std::uint64_t key = 8; key >= 1; --key)  // who is not there takes the place of the first
    left += table.take(of_family(1, key), fast, 1, kStart).ok ? 0 : 1;
  EXPECT_EQ(left, 4);
}

// Those of a fast rate are made up for soon, and yet it is not they who go.
TEST(RateTable, FreesNobodyOfOneRateInAFloodOfAnother) {
  RateTable table;
  Quota fast = quota(10, 1s), slow = quota(3, 1h);
  constexpr std::uint64_t kClients = 2'000;
  constexpr int kRounds = 100;
  std::mt19937_64 random(7);  // NOLINT: the same each time
  std::vector<std::uint64_t> clients;
  for (std::uint64_t i = 0; i < kClients; ++i) clients.push_back(of_family(1, random()));
  std::uint64_t taken = 0;
  Instant now = kStart;
  for (int round = 0; round < kRounds; ++round) {  // ten seconds, a million strangers
    for (int i = 0; i < 10'000; ++i) table.take(of_family(2, random()), slow, 1, now);
    for (std::uint64_t client : clients) {
      for (int i = 0; i < 2; ++i) taken += table.take(client, fast, 1, now).ok ? 1u : 0u;
    }
    now = now + 100ms;
  }
  // Ten, of two each tenth of a second, and one each time from then on.
  EXPECT_EQ(taken, kClients * (10 + 99));
}

TEST(RateTable, GivesBackWhatTimeHasNotMadeUpFor) {
  RateTable table(64);
  Quota one = quota(1, 10s);
  EXPECT_TRUE(table.take(kKey, one, 1, kStart).ok);
  table.give_back(kKey, one, 1, 4s);
  EXPECT_EQ(table.take(kKey, one, 1, kStart).wait, 4s);
  table.give_back(kKey, one, 1, 11s);
  EXPECT_EQ(table.take(kKey, one, 1, kStart).wait, 4s);
  table.give_back(kKey, one, 1);
  EXPECT_TRUE(table.take(kKey, one, 1, kStart).ok);
}

TEST(RateTable, TakesTheNumberThatStandsForNothingAsAKey) {
  RateTable table(RateTable::kWays);
  EXPECT_TRUE(table.take(0, quota(1, 1h), 1, kStart).ok);
  EXPECT_FALSE(table.take(0, quota(1, 1h), 1, kStart).ok);
}

TEST(Quota, DoesNotOverflow) {
  Quota large = quota(1, std::chrono::days(366), std::uint64_t{1} << 42);
  RateTable table(64);
  EXPECT_TRUE(table.take(kKey, large, std::uint64_t{1} << 42, kStart).ok);
  EXPECT_GT(large.cost(std::uint64_t{1} << 42), std::chrono::days(366));
}

}  // namespace
}  // namespace lockgate::guard
