#include "loop/reactor.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <memory>
#include <thread>
#include <vector>

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

struct Noting final : Watched {
  void edges(std::uint32_t events) override {
    ++times;
    seen |= events;
  }
  int times = 0;
  std::uint32_t seen = 0;
};

struct Step final : Runnable {
  explicit Step(std::function<void()> action) : act(std::move(action)) {}
  void run() override { act(); }
  std::function<void()> act;
};

class Turning : public testing::Test {
 protected:
  Turning() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  void signal() { eventfd_write(event_.number(), 1); }
  void turn() { reactor_.turn(0ns); }

  ManualClock clock_;
  Reactor reactor_{clock_};
  Fd event_;
};

TEST_F(Turning, TellsEachEdgeOnce) {
  Noting noting;
  ASSERT_TRUE(reactor_.watch(event_.number(), noting, EPOLLIN | EPOLLET));
  turn();
  EXPECT_EQ(noting.times, 0);
  signal();
  turn();
  EXPECT_EQ(noting.times, 1);
  EXPECT_EQ(noting.seen, EPOLLIN);
  turn();
  EXPECT_EQ(noting.times, 1);
  signal();
  turn();
  EXPECT_EQ(noting.times, 2);
}

TEST_F(Turning, TellsWhatHadHappenedBeforeItWatched) {
  signal();
  Noting noting;
  ASSERT_TRUE(reactor_.watch(event_.number(), noting, EPOLLIN | EPOLLET));
  turn();
  EXPECT_EQ(noting.times, 1);
}

TEST_F(Turning, TellsNothingAfterForgettingOrClosing) {
  Noting noting;
  ASSERT_TRUE(reactor_.watch(event_.number(), noting, EPOLLIN | EPOLLET));
  signal();
  reactor_.forget(event_.number());
  turn();
  EXPECT_EQ(noting.times, 0);
  ASSERT_TRUE(reactor_.watch(event_.number(), noting, EPOLLIN | EPOLLET));
  event_.reset();
  turn();
  EXPECT_EQ(noting.times, 0);
}

TEST_F(Turning, ChangesWhatItWatchesFor) {
  Noting noting;
  signal();
  ASSERT_TRUE(reactor_.watch(event_.number(), noting, 0));
  turn();
  EXPECT_EQ(noting.times, 0);
  reactor_.change(event_.number(), noting, EPOLLIN);
  turn();
  turn();
  EXPECT_EQ(noting.times, 2);  // a level this time, not an edge
}

TEST_F(Turning, RefusesADescriptorThatCannotBeWatched) {
  Noting noting;
  EXPECT_FALSE(reactor_.watch(-1, noting, EPOLLIN));
}

TEST_F(Turning, RunsWhatIsEnqueuedWhileRunningInTheNextTurn) {
  int runs = 0;
  Step again([&] {
    ++runs;
    reactor_.enqueue(again);
  });
  reactor_.enqueue(again);
  turn();
  EXPECT_EQ(runs, 1);
  turn();
  EXPECT_EQ(runs, 2);
}

TEST_F(Turning, RunsEachOnceHoweverOftenItIsEnqueued) {
  int runs = 0;
  Step step([&] { ++runs; });
  reactor_.enqueue(step);
  reactor_.enqueue(step);
  turn();
  turn();
  EXPECT_EQ(runs, 1);
}

TEST_F(Turning, LetsWhoWaitsForItsTurnKeepItsPlace) {
  int runs = 0;
  Step second([&] { ++runs; });
  Step first([&] { reactor_.enqueue(second); });
  reactor_.enqueue(first);
  reactor_.enqueue(second);
  turn();
  EXPECT_EQ(runs, 1);  // else whoever runs before it in every turn could put it off for ever
  turn();
  EXPECT_EQ(runs, 1);
}

TEST_F(Turning, ForgetsARunnableThatAnotherDestroys) {
  int runs = 0;
  auto victim = std::make_unique<Step>([&] { ++runs; });
  Step murderer([&] { victim.reset(); });
  reactor_.enqueue(murderer);
  reactor_.enqueue(*victim);
  turn();
  EXPECT_EQ(runs, 0);
}

TEST_F(Turning, LetsARunnableDestroyItself) {
  auto self = std::make_unique<Step>([] {});
  self->act = [&] { self.reset(); };
  reactor_.enqueue(*self);
  turn();
  EXPECT_FALSE(self);
}

TEST_F(Turning, KeepsOneTimeThroughATurn) {
  Instant before = reactor_.now();
  clock_.advance(1s);
  EXPECT_EQ(reactor_.now(), before);
  Instant seen{};
  Step step([&] {
    clock_.advance(1s);
    seen = reactor_.now();
  });
  reactor_.enqueue(step);
  turn();
  EXPECT_EQ(seen - before, 1s);
}

TEST(Reactor, WaitsForItsTimersNoLongerThanNeeded) {
  SystemClock clock;
  Reactor reactor(clock);
  bool rung = false;
  Step step([&] { rung = true; });
  Timer timer(step);
  Instant deadline = clock.now() + 30ms;
  reactor.start(timer, deadline);
  int turns = 0;
  while (!rung) {
    reactor.turn(10s);
    ++turns;
  }
  EXPECT_GE(clock.now(), deadline);
  EXPECT_LT(clock.now() - deadline, 5s);
  EXPECT_LT(turns, 10);
}

TEST(Reactor, WaitsNoLongerThanItIsTold) {
  SystemClock clock;
  Reactor reactor(clock);
  Instant before = clock.now();
  reactor.turn(20ms);
  EXPECT_GE(clock.now() - before, 19ms);
  EXPECT_LT(clock.now() - before, 5s);
}

TEST(Reactor, RunsUntilAnotherThreadStopsIt) {
  SystemClock clock;
  Reactor reactor(clock);
  std::thread other([&] { reactor.stop(); });
  reactor.run();
  other.join();
}

}  // namespace
}  // namespace lockgate::loop
