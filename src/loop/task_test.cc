#include "loop/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace lockgate::loop {
namespace {

// Where tasks of these tests wait, until the test lets them go on.
struct Door {
  std::coroutine_handle<> waiting;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) noexcept { waiting = task; }
  void await_resume() const noexcept {}
  void open() { std::exchange(waiting, nullptr).resume(); }
};

// Counts objects that live in frames.
struct Counted {
  explicit Counted(int& count) : live(&count) { ++*live; }
  Counted(const Counted& other) : live(other.live) { ++*live; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*live; }
  int* live;
};

struct Bell final : Completion {
  void task_ended() noexcept override { ++rings; }
  int rings = 0;
};

Task<int> at_once(int value) { co_return value; }
Task<int> fails_at_once() {
  co_await fail(Errc::refused, "testing");
  std::unreachable();
}
Task<int> behind(Door& door, int value, int& live) {
  Counted counted(live);
  co_await door;
  co_return value;
}
Task<int> fails_behind(Door& door, int& live) {
  Counted counted(live);
  co_await door;
  co_await fail(Errc::refused, "testing");
  std::unreachable();
}
Task<int> plus_one(Task<int> inner, int& live) {
  Counted counted(live);
  int value = co_await inner;
  co_return value + 1;
}
Task<std::string> described(Task<int> inner) {
  auto attempting = attempt(std::move(inner));
  auto outcome = co_await attempting;
  if (!outcome) co_return "failed: " + std::string(name_of(outcome.error().code));
  co_return "got " + std::to_string(*outcome);
}

TEST(Task, EndsWithItsValueAtOnceIfNothingHasToWait) {
  int live = 0;
  auto task = plus_one(plus_one(at_once(40), live), live);
  task.start();
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(*task.outcome(), 42);
  EXPECT_EQ(live, 0);
}

TEST(Task, DoesNothingBeforeItIsStarted) {
  Door door;
  int live = 0;
  auto task = behind(door, 1, live);
  EXPECT_EQ(live, 0);
  task.start();
  EXPECT_EQ(live, 1);
}

TEST(Task, PassesItsValueUpAfterWaiting) {
  Door door;
  int live = 0;
  auto task = plus_one(plus_one(behind(door, 40, live), live), live);
  task.start();
  EXPECT_FALSE(task.finished());
  EXPECT_EQ(live, 3);
  door.open();
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(*task.outcome(), 42);
}

TEST(Task, FailsWithTheErrorOfWhatItAwaits) {
  int live = 0;
  auto task = plus_one(plus_one(fails_at_once(), live), live);
  task.start();
  ASSERT_TRUE(task.finished());
  EXPECT_EQ(task.outcome().error().code, Errc::refused);
  EXPECT_STREQ(task.outcome().error().doing, "testing");
}

TEST(Task, FailsPastSeveralAwaitersAfterWaiting) {
  Door door;
  int live = 0;
  {
    auto task = plus_one(plus_one(plus_one(fails_behind(door, live), live), live), live);
    task.start();
    door.open();
    ASSERT_TRUE(task.finished());
    EXPECT_EQ(task.outcome().error().code, Errc::refused);
  }
  EXPECT_EQ(live, 0);
}

TEST(Task, AttemptedYieldsTheErrorAsAValue) {
  Door door;
  int live = 0;
  auto good = described(at_once(1));
  good.start();
  EXPECT_EQ(*good.outcome(), "got 1");
  auto bad = described(fails_at_once());
  bad.start();
  EXPECT_EQ(*bad.outcome(), "failed: refused");
  auto late = described(plus_one(plus_one(fails_behind(door, live), live), live));
  late.start();
  EXPECT_FALSE(late.finished());
  door.open();
  ASSERT_TRUE(late.finished());
  EXPECT_EQ(*late.outcome(), "failed: refused");
  auto late_good = described(behind(door, 2, live));
  late_good.start();
  door.open();
  EXPECT_EQ(*late_good.outcome(), "got 2");
}

TEST(Task, DestroysAllThatItAwaitsWhenItIsDestroyed) {
  Door door;
  int live = 0;
  {
    auto task = plus_one(plus_one(behind(door, 1, live), live), live);
    task.start();
    EXPECT_EQ(live, 3);
  }
  EXPECT_EQ(live, 0);
}

TEST(Task, MayBeDestroyedUnstarted) {
  int live = 0;
  {
    auto task = plus_one(at_once(1), live);
  }
  EXPECT_EQ(live, 0);
}

TEST(Task, TellsItsRootOnceWhicheverWayItEnds) {
  Door door;
  int live = 0;
  Bell inline_bell, late_bell, failed_bell, destroyed_bell;
  auto inlined = at_once(1);
  inlined.start(&inline_bell);
  EXPECT_EQ(inline_bell.rings, 1);
  auto late = plus_one(behind(door, 1, live), live);
  late.start(&late_bell);
  EXPECT_EQ(late_bell.rings, 0);
  door.open();
  EXPECT_EQ(late_bell.rings, 1);
  auto failed = plus_one(fails_behind(door, live), live);
  failed.start(&failed_bell);
  door.open();
  EXPECT_EQ(failed_bell.rings, 1);
  {
    auto destroyed = behind(door, 1, live);
    destroyed.start(&destroyed_bell);
  }
  EXPECT_EQ(destroyed_bell.rings, 0);
}

Task<std::unique_ptr<int>> box(int value) { co_return std::make_unique<int>(value); }

TEST(Task, HandsOnWhatCanOnlyBeMoved) {
  auto task = box(7);
  task.start();
  auto outcome = task.outcome();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(**outcome, 7);
}

Task<int> sum_of_many(int many) {
  int sum = 0;
  for (int i = 0; i < many; ++i) {
    auto one = at_once(1);
    sum += co_await one;
  }
  co_return sum;
}

TEST(Task, DoesNotGrowTheStackByAwaitingWhatEndsAtOnce) {
  auto task = sum_of_many(1'000'000);
  task.start();
  EXPECT_EQ(*task.outcome(), 1'000'000);
}

Task<int> failures_of_many(int many) {
  int failures = 0;
  for (int i = 0; i < many; ++i) {
    auto attempting = attempt(fails_at_once());
    auto outcome = co_await attempting;
    failures += outcome ? 0 : 1;
  }
  co_return failures;
}

TEST(Task, DoesNotGrowTheStackByAttemptingWhatFailsAtOnce) {
  auto task = failures_of_many(1'000'000);
  task.start();
  EXPECT_EQ(*task.outcome(), 1'000'000);
}

Task<int> deep(Door& door, int levels) {
  if (levels == 0) {
    co_await door;
    co_return 0;
  }
  auto inner = deep(door, levels - 1);
  int below = co_await inner;
  co_return below + 1;
}

TEST(Task, ComesBackFromManyLevels) {
  Door door;
  auto task = deep(door, 1000);
  task.start();
  door.open();
  EXPECT_EQ(*task.outcome(), 1000);
}

}  // namespace
}  // namespace lockgate::loop
