#include "guard/count_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace lockgate::guard {
namespace {

TEST(CountTable, CountsEachKeyUpToItsMost) {
  CountTable table;
  EXPECT_TRUE(table.enter(1, 2));
  EXPECT_TRUE(table.enter(1, 2));
  EXPECT_FALSE(table.enter(1, 2));
  EXPECT_TRUE(table.enter(2, 1));
  table.leave(1);
  EXPECT_TRUE(table.enter(1, 2));
}

TEST(CountTable, HasEntriesOnlyOfThoseThatAreThere) {
  CountTable table;
  {
    std::vector<Counted> counted;
    for (std::uint64_t key = 0; key < 1000; ++key) {
      ASSERT_TRUE(table.enter(key << 32, 1));
      counted.emplace_back(table, key << 32);
    }
    EXPECT_EQ(table.keys(), 1000u);
    Counted moved = std::move(counted.front());
    counted.erase(counted.begin());
    EXPECT_EQ(table.keys(), 1000u);
  }
  EXPECT_EQ(table.keys(), 0u);
}

TEST(CountTable, NeverLetsMoreInBetweenThreads) {
  CountTable table;
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        if (!table.enter(7, 3)) continue;
        int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) continue;
        --inside;
        table.leave(7);
      }
    });
  }
  threads.clear();
  EXPECT_LE(most, 3);
  EXPECT_EQ(table.keys(), 0u);
}

}  // namespace
}  // namespace lockgate::guard
