#include "loop/scope.h"

#include <gtest/gtest.h>

#include <optional>

#include "loop/wait.h"

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

class Scopes : public testing::Test {
 protected:
  struct Counted {
    explicit Counted(int& count) : live(count) { ++live; }
    ~Counted() { --live; }
    int& live;
  };
  Task<void> wait() {
    Counted counted(live_);
    Wait waiting(reactor_, slot_, kNever);
    co_await waiting;
  }
  Task<void> fail_at_once() { co_await fail(Errc::refused, "testing"); }
  Task<void> spawn_another() {
    scope_->spawn(wait());
    co_return;
  }
  Task<void> destroy_the_scope() {
    Wait waiting(reactor_, slot_, kNever);
    co_await waiting;
    scope_.reset();
  }
  void turn() { reactor_.turn(0ns); }

  ManualClock clock_;
  Reactor reactor_{clock_};
  WaitSlot slot_;
  int live_ = 0;
  std::optional<Scope> scope_{std::in_place, reactor_};
};

TEST_F(Scopes, DestroyATaskInATurnAfterItsEnd) {
  scope_->spawn(wait());
  scope_->spawn(fail_at_once());
  EXPECT_EQ(scope_->size(), 2u);
  turn();
  EXPECT_EQ(scope_->size(), 1u);  // the one that waits
  slot_.wake();
  turn();
  turn();
  EXPECT_EQ(scope_->size(), 0u);
  EXPECT_EQ(live_, 0);
}

TEST_F(Scopes, CancelTheOldestTaskAlone) {
  scope_->cancel_oldest();
  scope_->spawn(fail_at_once());
  scope_->spawn(wait());
  scope_->cancel_oldest();  // it has ended already, and was about to be destroyed
  EXPECT_EQ(scope_->size(), 1u);
  turn();
  EXPECT_EQ(live_, 1);
  scope_->cancel_oldest();
  EXPECT_EQ(live_, 0);
  EXPECT_EQ(scope_->size(), 0u);
}

TEST_F(Scopes, CancelAllTheirTasksWhenTheyEnd) {
  for (int i = 0; i < 10; ++i) scope_->spawn(wait());
  scope_->spawn(fail_at_once());  // ended, but not yet destroyed
  EXPECT_EQ(live_, 10);
  slot_.wake();  // one is about to go on
  scope_.reset();
  EXPECT_EQ(live_, 0);
  turn();
  EXPECT_FALSE(slot_.taken());
}

TEST_F(Scopes, LetTasksSpawnTasks) {
  scope_->spawn(spawn_another());
  turn();
  EXPECT_EQ(live_, 1);
  EXPECT_EQ(scope_->size(), 1u);
}

TEST_F(Scopes, MayBeEndedByATaskOfAnother) {
  Scope other(reactor_);
  scope_->spawn(wait());
  other.spawn(destroy_the_scope());
  slot_.wake_all();
  turn();
  turn();
  EXPECT_FALSE(scope_);
  EXPECT_EQ(live_, 0);
  EXPECT_EQ(other.size(), 0u);
}

}  // namespace
}  // namespace lockgate::loop
