#include "loop/wait.h"

#include <gtest/gtest.h>

#include <vector>

#include "loop/task.h"

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

class Waiting : public testing::Test {
 protected:
  Task<void> wait(int who, Instant deadline) { return wait(slot_, who, deadline); }
  Task<void> wait(WaitSlot& slot, int who, Instant deadline) {
    Wait waiting(reactor_, slot, deadline);
    bool woken = co_await waiting;
    (woken ? woken_ : late_).push_back(who);
  }
  Task<void> sleep(int who, Instant until) {
    Sleep sleeping(reactor_, until);
    co_await sleeping;
    late_.push_back(who);
  }
  void turn(Duration passed = {}) {
    clock_.advance(passed);
    reactor_.turn(0ns);
  }

  ManualClock clock_;
  Reactor reactor_{clock_};
  WaitSlot slot_;
  std::vector<int> woken_, late_;
};

using Who = std::vector<int>;

TEST_F(Waiting, GoesOnInATurnAfterItWasWoken) {
  auto task = wait(1, kNever);
  task.start();
  EXPECT_TRUE(slot_.taken());
  slot_.wake();
  EXPECT_TRUE(woken_.empty());  // not on the waker's stack
  turn();
  EXPECT_EQ(woken_, Who{1});
  EXPECT_FALSE(slot_.taken());
}

TEST_F(Waiting, WakesInTheOrderOfComing) {
  auto one = wait(1, kNever), two = wait(2, kNever), three = wait(3, kNever);
  one.start();
  two.start();
  three.start();
  slot_.wake();
  turn();
  EXPECT_EQ(woken_, Who{1});
  slot_.wake_all();
  turn();
  EXPECT_EQ(woken_, (Who{1, 2, 3}));
  slot_.wake();  // nobody waits: nothing
}

TEST_F(Waiting, EndsAtItsDeadline) {
  auto task = wait(1, clock_.now() + 100ms);
  task.start();
  turn(99ms);
  EXPECT_TRUE(late_.empty());
  turn(2ms);
  EXPECT_EQ(late_, Who{1});
  EXPECT_FALSE(slot_.taken());
}

TEST_F(Waiting, PrefersToHaveBeenWokenBeforeItsDeadline) {
  auto task = wait(1, clock_.now() + 100ms);
  task.start();
  slot_.wake();
  turn(1s);
  EXPECT_EQ(woken_, Who{1});
  turn(1s);
  EXPECT_TRUE(late_.empty());
}

TEST_F(Waiting, LeavesEverythingWhenItIsDestroyed) {
  {
    auto waiting = wait(1, clock_.now() + 10ms);
    waiting.start();
    auto sleeping = sleep(2, clock_.now() + 10ms);
    sleeping.start();
  }
  EXPECT_FALSE(slot_.taken());
  turn(1s);
  {
    auto woken = wait(3, kNever);
    woken.start();
    slot_.wake();
  }
  turn();
  EXPECT_TRUE(woken_.empty());
  EXPECT_TRUE(late_.empty());
}

TEST_F(Waiting, OutlivesItsSlot) {
  auto slot = std::make_unique<WaitSlot>();
  auto task = wait(*slot, 1, clock_.now() + 10ms);
  task.start();
  slot.reset();
  turn(20ms);
  EXPECT_EQ(late_, Who{1});
}

TEST_F(Waiting, SleepsUntilTheTime) {
  auto task = sleep(1, clock_.now() + 5s);
  task.start();
  turn(4999ms);
  EXPECT_FALSE(task.finished());
  turn(2ms);
  EXPECT_TRUE(task.finished());
}

}  // namespace
}  // namespace lockgate::loop
