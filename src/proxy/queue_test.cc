#include "proxy/queue.h"

#include <gtest/gtest.h>

#include "proxy/dial.h"
#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

// An upstream of two endpoints with room for one each, and who asks for them.
class Queueing : public testing::Test {
 protected:
  class Client {
   public:
    Client(Queueing& test, UpstreamView& view, std::uint64_t mark, std::string key)
        : attempts_(test.house_.house, view, view.targets, std::move(key), 1) {
      attempts_.stick_to(mark);
      target_ = attempts_.next();
      if (!attempts_.is_full()) return;
      waiting_.emplace(attempts_.wait_for_place(kNever));
      waiting_->start();
    }
    /// "a", "waits", or why it goes nowhere.
    std::string where() {
      if (waiting_ && !waiting_->finished()) return "waits";
      if (waiting_) {
        auto outcome = waiting_->outcome();
        waiting_.reset();
        if (outcome)
          target_ = *outcome;
        else
          error_ = words(outcome.error());
      }
      if (!error_.empty()) return error_;
      return target_ ? target_->name : "nowhere";
    }

   private:
    Attempts attempts_;
    const Target* target_ = nullptr;
    std::string error_;
    std::optional<loop::Task<const Target*>> waiting_;
  };

  std::unique_ptr<Client> come(std::uint64_t mark = 0, std::string key = "") {
    auto client = std::make_unique<Client>(*this, *view_, mark, std::move(key));
    house_.settle();
    return client;
  }
  std::string where(std::unique_ptr<Client>& client) {
    house_.settle();
    return client->where();
  }
  void take_config(std::string_view keys) {
    std::string text = "upstreams:\n  up:\n    endpoints: [{ url: 'http://192.0.2.1', name: a }, ";
    text +=
        "{ url: 'http://192.0.2.2', name: b }]\n    max_connections: 1\n    ejection: { failures: 1 }\n    ";
    text.append(keys);
    text += "\nlisteners:\n  - { bind: 127.0.0.1:1080, sites: [{ names: [default], plain: { to: up } }] }\n";
    config_ = made_config(text);
    targets_ = made_targets(config_->upstreams.front(), [this] { house_.place_freed.wake_all(); });
    upstream_ = std::make_shared<Upstream>(config_->upstreams.front());
    view_ = std::make_unique<UpstreamView>(upstream_, targets_, 1);
  }
  const Target& target(std::size_t index) const { return (*targets_)[index]; }

  MadeHouse house_;
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const Targets> targets_;
  std::shared_ptr<Upstream> upstream_;
  std::unique_ptr<UpstreamView> view_;
};

TEST_F(Queueing, NoEndpointHasMoreThanItMay) {
  take_config("queue: { length: 3, timeout: 10s }");
  auto first = come(), second = come(), third = come();
  EXPECT_NE(where(first), where(second));
  EXPECT_EQ(where(third), "waits");
  EXPECT_EQ(target(0).endpoint->connections() + target(1).endpoint->connections(), 2u);
  std::string freed = where(first);
  first.reset();
  EXPECT_EQ(where(third), freed);
  third.reset();
  second.reset();
  house_.settle();
  EXPECT_EQ(target(0).endpoint->connections() + target(1).endpoint->connections(), 0u);
  EXPECT_EQ(upstream_->commons->queue.inside(), 0u);
  EXPECT_EQ(upstream_->commons->queued, 1u);
}

TEST_F(Queueing, WhoeverCameFirstGoesFirst) {
  take_config("queue: { length: 3, timeout: 10s }");
  auto one = come(), two = come(), three = come(), four = come(), five = come();
  one.reset();
  EXPECT_NE(where(three), "waits");
  EXPECT_EQ(where(four), "waits");
  three.reset();
  // A place is free, and not yet given to anybody: somebody new goes to the end all the same.
  Client late(*this, *view_, 0, "");
  EXPECT_NE(where(four), "waits");
  EXPECT_EQ(where(five), "waits");
  EXPECT_EQ(late.where(), "waits");
  two.reset();
  EXPECT_NE(where(five), "waits");
  EXPECT_EQ(late.where(), "waits");
}

TEST_F(Queueing, WhoeverWaitsTooLongIsRefused) {
  take_config("queue: { length: 3, timeout: 2s }");
  auto one = come(), two = come(), three = come();
  house_.pass(1s);
  EXPECT_EQ(where(three), "waits");
  house_.pass(1100ms);
  EXPECT_EQ(where(three), "waiting for a place at an endpoint: limited");
  EXPECT_EQ(upstream_->commons->queue.inside(), 0u);
  EXPECT_EQ(upstream_->commons->turned_away, 1u);
  one.reset();
  house_.settle();
  EXPECT_NE(where(two), "waits");
}

TEST_F(Queueing, WhoeverIsLetInAtTheLastMomentIsIn) {
  take_config("queue: { length: 3, timeout: 2s }");
  auto one = come(), two = come(), three = come();
  std::string freed = where(one);
  one.reset();
  house_.pass(2100ms);  // both happen in one turn
  EXPECT_EQ(where(three), freed);
}

TEST_F(Queueing, NoMoreWaitThanMay) {
  take_config("queue: { length: 1, timeout: 2s }");
  auto one = come(), two = come(), three = come(), four = come();
  EXPECT_EQ(where(three), "waits");
  EXPECT_EQ(where(four), "looking for a place in the queue: limited");
}

TEST_F(Queueing, NobodyWaitsWithoutAQueue) {
  take_config("queue: { length: off }");
  auto one = come(), two = come(), three = come();
  EXPECT_EQ(where(three), "looking for a place at an endpoint: limited");
}

TEST_F(Queueing, WhoeverLeavesGivesItsTurnAway) {
  take_config("queue: { length: 9, timeout: 2s }");
  auto one = come(), two = come(), three = come(), four = come();
  three.reset();
  one.reset();
  EXPECT_NE(where(four), "waits");
  // Let in, and gone before it knows.
  auto five = come();
  two.reset();
  five.reset();
  EXPECT_NE(where(four), "waits");
  EXPECT_EQ(target(0).endpoint->connections() + target(1).endpoint->connections(), 1u);
}

TEST_F(Queueing, WhoeverIsStuckWaitsForItsOwnAndHoldsUpNobody) {
  take_config("queue: { length: 9, timeout: 9s }\n    sticky: { own_cookie: GATE }");
  auto a = come(target(0).mark), b = come(target(1).mark);
  EXPECT_EQ(where(a), "a");
  EXPECT_EQ(where(b), "b");
  auto stuck = come(target(0).mark), any = come();
  b.reset();
  EXPECT_EQ(where(any), "b");
  EXPECT_EQ(where(stuck), "waits");
  a.reset();
  EXPECT_EQ(where(stuck), "a");
}

TEST_F(Queueing, SomebodyNewPassesThoseWhoAreStuckElsewhere) {
  take_config("queue: { length: 9, timeout: 9s }");
  auto a = come(target(0).mark), stuck = come(target(0).mark), any = come();
  EXPECT_EQ(where(stuck), "waits");
  EXPECT_EQ(where(any), "b");
}

TEST_F(Queueing, WhoeverIsStuckToWhatCannotBeUsedGoesElsewhere) {
  take_config("queue: { length: 9, timeout: 9s }");
  target(0).endpoint->set_up(false);
  EXPECT_EQ(come(target(0).mark)->where(), "b");
  target(0).endpoint->set_up(true);
  EXPECT_EQ(come(target(0).mark)->where(), "a");
  target(0).endpoint->connect_failed(house_.reactor.now(), {.failures = 1, .time = 5s});
  EXPECT_EQ(come(target(0).mark)->where(), "b");
  EXPECT_EQ(come(1)->where(), "b") << "a mark that is nobody's";
}

TEST_F(Queueing, WhoeverWaitsFindsWhatHasComeBack) {
  take_config("queue: { length: 9, timeout: 9s }");
  target(1).endpoint->set_up(false);
  auto a = come(), waiting = come();
  EXPECT_EQ(where(waiting), "waits");
  target(1).endpoint->set_up(true);
  house_.pass(1100ms);
  EXPECT_EQ(where(waiting), "b") << "though nobody has left";
}

TEST_F(Queueing, WhatAHashKeepsTogetherWaitsTogether) {
  take_config("balance: consistent_hash");
  auto first = come(0, "client"), second = come(0, "client");
  EXPECT_EQ(where(second), "waits");
  std::string at = where(first);
  first.reset();
  EXPECT_EQ(where(second), at);
}

TEST_F(Queueing, ABackupDoesNotStandInForWhatIsOnlyFull) {
  take_config("");
  auto targets = std::make_shared<Targets>(*targets_);
  targets->at(1).backup = true;
  view_->targets = targets;
  auto first = come(), second = come();
  EXPECT_EQ(where(first), "a");
  EXPECT_EQ(where(second), "waits");
  target(0).endpoint->set_up(false);
  EXPECT_EQ(come()->where(), "waits") << "behind the one that was first";
  first.reset();
  EXPECT_EQ(where(second), "b");
}

}  // namespace
}  // namespace lockgate::proxy
