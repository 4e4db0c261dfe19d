#include "loop/turns.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/scope.h"

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

class TurnsOfTwo : public testing::Test {
 protected:
  Task<void> take_one(WaitSlot& end) {
    auto taking = turns_.take();
    Turns::Turn turn = co_await taking;
    ++taken_;
    Wait waiting(reactor_, end, kNever);
    co_await waiting;
  }
  void turn() {
    for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
  }

  ManualClock clock_;
  Reactor reactor_{clock_};
  Turns turns_{reactor_, 2};
  WaitSlot end_;
  int taken_ = 0;
  std::optional<Scope> scope_{std::in_place, reactor_};
};

TEST_F(TurnsOfTwo, AreTakenByTwoAtOnceAndByTheOthersAsTheyEnd) {
  for (int i = 0; i < 4; ++i) scope_->spawn(take_one(end_));
  turn();
  EXPECT_EQ(taken_, 2);
  end_.wake();
  turn();
  EXPECT_EQ(taken_, 3);
  end_.wake_all();
  turn();
  EXPECT_EQ(taken_, 4);
}

TEST_F(TurnsOfTwo, GoOnWhenWhoeverHadOneOrWaitedIsCancelled) {
  WaitSlot others;
  for (int i = 0; i < 2; ++i) scope_->spawn(take_one(end_));
  Scope later(reactor_);
  later.spawn(take_one(others));
  turn();
  EXPECT_EQ(taken_, 2);
  scope_.reset();
  turn();
  EXPECT_EQ(taken_, 3);
}

TEST_F(TurnsOfTwo, AreNotLostWithAWakingThatNobodyHeard) {
  for (int i = 0; i < 2; ++i) scope_->spawn(take_one(end_));
  Scope first(reactor_), second(reactor_);
  turn();
  first.spawn(take_one(end_));
  second.spawn(take_one(end_));
  turn();
  end_.wake();
  reactor_.turn(0ns);
  first.cancel_oldest();  // who may have been woken
  turn();
  clock_.advance(2s);
  turn();
  EXPECT_EQ(taken_, 3);
}

TEST_F(TurnsOfTwo, EndOnce) {
  auto given = Turns::Turn(turns_);
  auto moved = std::move(given);
  moved.end();
  moved.end();
  for (int i = 0; i < 3; ++i) scope_->spawn(take_one(end_));
  turn();
  EXPECT_EQ(taken_, 2);
}

}  // namespace
}  // namespace lockgate::loop
