#include "loop/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMillisecond = 1'000'000;

struct Alarm final : Runnable {
  void run() override {
    ++rings;
    rang();
  }
  Timer timer{*this};
  int rings = 0;
  std::function<void()> rang = [] {};
};

class Wheel : public testing::Test {
 protected:
  void start_at(Instant now) {
    now_ = now;
    timers_ = std::make_unique<Timers>(now);
  }
  void advance_to(Instant now) {
    now_ = now;
    List<Runnable> ready;
    timers_->advance(now, ready);
    while (Runnable* next = ready.pop_front()) next->run();
  }
  void advance(Duration d) { advance_to(now_ + d); }

  Instant now_{};
  std::unique_ptr<Timers> timers_ = std::make_unique<Timers>(Instant{});
};

TEST_F(Wheel, RingsOnceAtItsDeadlineAndNotBefore) {
  for (Duration wait :
       {Duration(1ns), Duration(1ms), Duration(63ms), Duration(64ms), Duration(65ms), Duration(4096ms),
        Duration(1h), Duration(24h * 40), Duration(24h * 400), Duration(24h * 5000)}) {
    Alarm alarm;
    Instant deadline = now_ + wait;
    timers_->start(alarm.timer, deadline);
    EXPECT_TRUE(alarm.timer.running());
    advance_to(deadline + Duration(-1));
    EXPECT_EQ(alarm.rings, 0) << wait.count();
    EXPECT_FALSE(alarm.timer.expired());
    advance(1ms);
    EXPECT_EQ(alarm.rings, 1) << wait.count();
    EXPECT_TRUE(alarm.timer.expired());
    EXPECT_FALSE(alarm.timer.running());
    advance(24h);
    EXPECT_EQ(alarm.rings, 1);
  }
}

TEST_F(Wheel, RingsSoonForADeadlineInThePast) {
  start_at({5000 * kMillisecond});
  Alarm alarm;
  timers_->start(alarm.timer, {1});
  advance(1ms);
  EXPECT_EQ(alarm.rings, 1);
}

TEST_F(Wheel, TakesNeverAtItsWord) {
  Alarm alarm;
  timers_->start(alarm.timer, kNever);
  EXPECT_EQ(timers_->next(), kNever);
  timers_->start(alarm.timer, now_ + 1s);
  timers_->start(alarm.timer, kNever);
  EXPECT_FALSE(alarm.timer.running());
}

TEST_F(Wheel, ForgetsATimerThatIsStoppedRestartedOrDestroyed) {
  Alarm stopped, restarted;
  auto destroyed = std::make_unique<Alarm>();
  for (Alarm* alarm : {&stopped, &restarted, destroyed.get()}) timers_->start(alarm->timer, now_ + 100ms);
  stopped.timer.stop();
  timers_->start(restarted.timer, now_ + 10s);
  destroyed.reset();
  advance(1s);
  EXPECT_EQ(stopped.rings, 0);
  EXPECT_EQ(restarted.rings, 0);
  advance(9s);
  EXPECT_EQ(restarted.rings, 1);
}

TEST_F(Wheel, ForgetsItsExpiryWhenItIsStartedAgain) {
  Alarm alarm;
  timers_->start(alarm.timer, now_ + 1ms);
  advance(2ms);
  EXPECT_TRUE(alarm.timer.expired());
  timers_->start(alarm.timer, now_ + 1ms);
  EXPECT_FALSE(alarm.timer.expired());
}

TEST_F(Wheel, WakesAtMostAFewTimesForOneFarDeadline) {
  Alarm alarm;
  timers_->start(alarm.timer, now_ + 24h * 300 + 17ms);
  int wakes = 0;
  for (; alarm.rings == 0; ++wakes) {
    ASSERT_NE(timers_->next(), kNever);
    advance_to(timers_->next());
    ASSERT_LT(wakes, 10);
  }
  EXPECT_EQ(timers_->next(), kNever);
}

TEST_F(Wheel, IsNotHeldUpBySlotsWhoseTimersWereStopped) {
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 1000; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    timers_->start(alarms.back()->timer, now_ + i * 37ms);
  }
  alarms.clear();
  Alarm last;
  Instant deadline = now_ + 30s;
  timers_->start(last.timer, deadline);
  for (int wakes = 0; last.rings == 0; ++wakes) {
    ASSERT_LT(wakes, 2000);
    advance_to(timers_->next());
  }
  EXPECT_GE(now_, deadline);
  EXPECT_LT(now_ - deadline, 1ms);
}

TEST_F(Wheel, MayBeRestartedWhileItRings) {
  Alarm alarm;
  alarm.rang = [&] { timers_->start(alarm.timer, now_ + 10ms); };
  alarm.rang();
  for (int i = 0; i < 100; ++i) advance(1ms);
  EXPECT_EQ(alarm.rings, 10);
}

// The model: a map from timer to deadline, looked through from end to end.
class AgainstAModel : public Wheel, public testing::WithParamInterface<std::int64_t> {
 protected:
  static constexpr std::size_t kAlarms = 64;

  Duration random_wait() {
    // Every level of the wheel is as likely as any other.
    int bits = static_cast<int>(random_() % 59);
    return Duration(static_cast<std::int64_t>(random_() & ((std::uint64_t{1} << bits) - 1)));
  }
  void start(std::size_t which) {
    Instant deadline = now_ + random_wait();
    timers_->start(alarms_[which].timer, deadline);
    model_[which] = deadline;
  }
  // Moves the time and compares; late by one tick at most.
  void advance_and_compare(Instant to) {
    std::array<int, kAlarms> before{};
    for (std::size_t i = 0; i < kAlarms; ++i) before[i] = alarms_[i].rings;
    Instant since = now_;
    advance_to(to);
    for (std::size_t i = 0; i < kAlarms; ++i) {
      auto known = model_.find(i);
      bool rang = alarms_[i].rings != before[i];
      if (rang) {
        ASSERT_NE(known, model_.end()) << "a stopped timer rang";
        ASSERT_LE(known->second, now_) << "early";
        model_.erase(known);
      } else if (known != model_.end()) {
        ASSERT_GT(std::max(known->second, since) + 2ms, now_) << "late";
      }
    }
    for (const auto& [which, deadline] : model_) ASSERT_LE(timers_->next(), std::max(deadline, now_) + 2ms);
  }

  std::mt19937_64 random_{42};
  std::array<Alarm, kAlarms> alarms_;
  std::map<std::size_t, Instant> model_;
};

TEST_P(AgainstAModel, NeverRingsEarlyAndNeverForgets) {
  start_at({GetParam()});
  for (int step = 0; step < 20'000 && !HasFatalFailure(); ++step) {
    std::size_t which = random_() % kAlarms;
    switch (random_() % 5) {
      case 0:
      case 1:
        start(which);
        break;
      case 2:
        alarms_[which].timer.stop();
        model_.erase(which);
        break;
      case 3:
        advance_and_compare(now_ + random_wait() / 16);
        break;
      default:
        if (timers_->next() != kNever) advance_and_compare(std::max(now_, timers_->next()));
        break;
    }
    if (now_.nanoseconds > INT64_MAX / 2) break;
  }
}

// Where the hand stands at the start: nowhere special, and right at and before the ends of laps.
INSTANTIATE_TEST_SUITE_P(Hands, AgainstAModel,
                         testing::Values(0, 1, 123'456'789'012'345, (std::int64_t{1} << 36) * kMillisecond,
                                         ((std::int64_t{1} << 36) - 1) * kMillisecond,
                                         ((std::int64_t{1} << 30) * 63) * kMillisecond,
                                         ((std::int64_t{1} << 30) * 63 - 1) * kMillisecond));

TEST_F(Wheel, CrossesItsLapWithTimersInEverySlot) {
  start_at({((std::int64_t{1} << 36) - 5000) * kMillisecond});
  std::vector<std::unique_ptr<Alarm>> alarms;
  Instant begin = now_;
  for (int i = 1; i <= 64; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    timers_->start(alarms.back()->timer, begin + Duration(((std::int64_t{1} << 30) * i - 7) * kMillisecond));
  }
  for (int i = 1; i <= 63; ++i) {
    Instant deadline = begin + Duration(((std::int64_t{1} << 30) * i - 7) * kMillisecond);
    advance_to(deadline + Duration(-kMillisecond));
    EXPECT_EQ(alarms[static_cast<std::size_t>(i) - 1]->rings, 0) << i;
    advance_to(deadline);
    EXPECT_EQ(alarms[static_cast<std::size_t>(i) - 1]->rings, 1) << i;
  }
}

}  // namespace
}  // namespace lockgate::loop
