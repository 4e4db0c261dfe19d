#include "proxy/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>
#include <vector>

namespace lockgate::proxy {
namespace {

TEST(Gate, LetsInAsManyAsItsLimit) {
  Gate gate(2, [] {});
  EXPECT_TRUE(gate.enter());
  EXPECT_TRUE(gate.enter());
  EXPECT_FALSE(gate.enter());
  EXPECT_EQ(gate.inside(), 2u);
  gate.leave();
  EXPECT_TRUE(gate.enter());
  EXPECT_FALSE(gate.enter());
}

TEST(Gate, LetsEverybodyInWithoutALimitAndStillCounts) {
  Gate gate(0, [] {});
  for (int n = 0; n < 100; ++n) EXPECT_TRUE(gate.enter());
  EXPECT_EQ(gate.inside(), 100u);
}

TEST(Gate, FollowsALimitThatIsChangedWhileItIsInUse) {
  Gate gate(1, [] {});
  EXPECT_TRUE(gate.enter());
  gate.set_limit(3);
  EXPECT_TRUE(gate.enter());
  EXPECT_TRUE(gate.enter());
  gate.set_limit(1);
  EXPECT_FALSE(gate.enter());
  gate.leave();
  gate.leave();
  EXPECT_FALSE(gate.enter());
  gate.leave();
  EXPECT_TRUE(gate.enter());
}

TEST(Gate, TellsOfALeaveOnlyWhileSomebodyWaits) {
  int told = 0;
  Gate gate(1, [&] { ++told; });
  EXPECT_TRUE(gate.enter());
  gate.leave();
  EXPECT_EQ(told, 0);
  EXPECT_TRUE(gate.enter());
  {
    Waiting waiting(gate);
    EXPECT_FALSE(gate.enter());
    gate.leave();
    EXPECT_EQ(told, 1);
  }
  EXPECT_TRUE(gate.enter());
  gate.leave();
  EXPECT_EQ(told, 1);
}

TEST(Place, GivesItselfBackOnceWhereverItIsMoved) {
  Gate gate(2, [] {});
  {
    ASSERT_TRUE(gate.enter());
    Place place(gate);
    Place moved(std::move(place));
    EXPECT_EQ(gate.inside(), 1u);
    ASSERT_TRUE(gate.enter());
    Place other(gate);
    moved = std::move(other);
    EXPECT_EQ(gate.inside(), 2u);
  }
  EXPECT_EQ(gate.inside(), 0u);
}

TEST(Gate, HoldsItsLimitAmongThreads) {
  constexpr std::uint32_t kLimit = 3;
  Gate gate(kLimit, [] {});
  std::atomic<std::uint32_t> inside = 0, most = 0;
  auto work = [&] {
    for (int n = 0; n < 20'000; ++n) {
      if (!gate.enter()) continue;
      std::uint32_t now = ++inside;
      for (std::uint32_t seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      --inside;
      gate.leave();
    }
  };
  std::vector<std::jthread> threads;
  for (int n = 0; n < 4; ++n) threads.emplace_back(work);
  threads.clear();
  EXPECT_LE(most, kLimit);
  EXPECT_EQ(gate.inside(), 0u);
}

// Whoever found the gate full and asked to be told is woken, or it waits here for ever.
TEST(Gate, LosesNoWaiterAmongThreads) {
  std::counting_semaphore<> freed(0);
  Gate gate(1, [&] { freed.release(); });
  std::atomic<bool> lost = false;
  auto work = [&] {
    for (int n = 0; n < 2'000 && !lost; ++n) {
      Waiting waiting(gate);
      while (!lost && !gate.enter()) {
        if (!freed.try_acquire_for(std::chrono::seconds(20))) lost = true;
      }
      gate.leave();
    }
  };
  std::vector<std::jthread> threads;
  for (int n = 0; n < 2; ++n) threads.emplace_back(work);
  threads.clear();
  EXPECT_FALSE(lost);
}

}  // namespace
}  // namespace lockgate::proxy
