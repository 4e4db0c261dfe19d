#include "proxy/pool.h"

#include <gtest/gtest.h>

#include "http/made_stream.h"
#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;
using http::MadeStream;

class Pooling : public testing::Test {
 protected:
  /// A new connection for `key`; its stream is the last of `streams_`.
  std::unique_ptr<UpstreamConnection> made(const PoolKey& key) {
    auto stream = std::make_unique<MadeStream>(house_.reactor);
    streams_.push_back(stream.get());
    auto client = std::make_unique<http::Client1>(std::move(stream), house_.desk, Bytes());
    auto endpoint = key.endpoint == a_.endpoint ? first_ : second_;
    return std::make_unique<UpstreamConnection>(std::move(client), key, endpoint, nullptr);
  }
  void give(const PoolKey& key, Duration patience = 30s) { house_.pool.give(made(key), patience); }
  /// The number of the connection that is taken; -1: none.
  int take(const PoolKey& key) {
    auto connection = house_.pool.take(key);
    if (!connection) return -1;
    auto found = std::ranges::find(streams_, &connection->client->stream());
    return static_cast<int>(found - streams_.begin());
  }
  std::size_t size() { return house_.pool.size(); }

  MadeHouse house_;
  std::vector<net::Stream*> streams_;
  std::shared_ptr<Endpoint> first_ = std::make_shared<Endpoint>("http://a"),
                            second_ = std::make_shared<Endpoint>("http://a");
  PoolKey a_{.endpoint = first_.get()}, b_{.endpoint = second_.get()};
};

TEST_F(Pooling, HasNothingAtFirst) { EXPECT_EQ(take(a_), -1); }

TEST_F(Pooling, GivesBackTheNewestFirst) {
  for (int i = 0; i < 3; ++i) give(a_);
  EXPECT_EQ(size(), 3u);
  EXPECT_EQ(take(a_), 2);
  EXPECT_EQ(take(a_), 1);
  EXPECT_EQ(take(a_), 0);
  EXPECT_EQ(take(a_), -1);
  EXPECT_EQ(size(), 0u);
}

TEST_F(Pooling, SharesNoConnectionBetweenKeys) {
  PoolKey named = a_;
  named.identity = "client";
  PoolKey of_parent = a_;
  of_parent.of_parent = true;
  give(a_);
  give(b_);
  give(named);
  EXPECT_EQ(take(of_parent), -1);
  EXPECT_EQ(take(named), 2);
  EXPECT_EQ(take(named), -1);
  EXPECT_EQ(take(b_), 1);
  EXPECT_EQ(take(a_), 0);
}

TEST_F(Pooling, KeepsNothingForAnEndpointThatTakesNothingNew) {
  give(a_);
  give(a_);
  give(b_);
  first_->administer(Administration::draining, {});
  house_.pool.drop_all(*first_);
  EXPECT_EQ(size(), 1u);
  EXPECT_EQ(first_->row(0).idle.value(), 0u);
  give(a_);
  EXPECT_EQ(size(), 1u);
  EXPECT_EQ(take(a_), -1);
  EXPECT_EQ(take(b_), 2);
}

TEST_F(Pooling, DropsAConnectionInWhichAnythingHappens) {
  for (int what = 0; what < 3; ++what) {
    give(a_);
    auto& stream = static_cast<MadeStream&>(*streams_.back());
    if (what == 0) stream.come("HTTP/1.1 408");
    if (what == 1) stream.come_to_end();
    if (what == 2) stream.break_off();
    EXPECT_EQ(size(), 1u);
    house_.settle();
    EXPECT_EQ(size(), 0u);
    EXPECT_EQ(take(a_), -1);
  }
}

TEST_F(Pooling, TakesNoneInWhichAnythingHasJustHappened) {
  give(a_);
  give(a_);
  static_cast<MadeStream&>(*streams_.back()).come_to_end();
  EXPECT_EQ(take(a_), 0);
  EXPECT_EQ(size(), 0u);
}

TEST_F(Pooling, DropsConnectionsAfterTheirTime) {
  give(a_, 30s);
  give(a_, 10s);
  give(a_, 0s);  // for ever
  house_.pass(11s);
  EXPECT_EQ(size(), 2u);
  house_.pass(20s);
  EXPECT_EQ(size(), 1u);
  house_.pass(24h);
  EXPECT_EQ(take(a_), 2);
}

TEST_F(Pooling, HoldsNoMoreOfAKindThanItMay) {
  for (int i = 0; i < 1100; ++i) give(a_);
  EXPECT_EQ(size(), 1024u);
  give(b_);
  EXPECT_EQ(size(), 1025u);
}

// Connections hold their endpoints; what nobody waits for keeps none of them.
TEST_F(Pooling, ForgetsEndpointsThatNobodyWaitsFor) {
  std::weak_ptr<Endpoint> endpoint = first_;
  give(a_);
  take(a_);
  give(a_);
  house_.pass(31s);
  first_.reset();
  EXPECT_TRUE(endpoint.expired());
}

}  // namespace
}  // namespace lockgate::proxy
