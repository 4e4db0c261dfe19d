// A stream that goes no faster than it may, by a clock that the test turns.
#include "guard/paced_stream.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "http/made_stream.h"

namespace lockgate::guard {
namespace {

using namespace std::chrono_literals;

config::RateRule bandwidth(std::string name, std::uint64_t rate, std::uint64_t burst) {
  return {.name = std::move(name),
          .of = config::RateOf::bandwidth,
          .rate = {.quantity = {rate, true}, .period = 1s},
          .burst = {burst, true}};
}

struct Edges final : net::StreamOwner {
  void stream_changed() override { ++count; }
  int count = 0;
};

class PacedStreamTest : public testing::Test {
 protected:
  Share share(const config::RateRule& config, std::uint64_t key) {
    RateRules rules;
    rates.add(rules, {}, {config});
    return {rules.bandwidth.front(), key};
  }
  void make(std::vector<Share> incoming, std::vector<Share> outgoing) {
    auto made = std::make_unique<http::MadeStream>(reactor);
    under = made.get();
    stream = std::make_unique<PacedStream>(std::move(made), std::move(incoming), std::move(outgoing));
    stream->set_owner(&edges);
  }
  void pass(Duration time) {
    clock.advance(time);
    reactor.turn(Duration::zero());
    reactor.turn(Duration::zero());
  }
  /// Writes as much as it takes for so long; how much that was.
  std::uint64_t write_for(Duration time) {
    const std::string text(64 * 1024, 'x');
    std::uint64_t total = 0;
    for (Duration passed{}; passed <= time; passed += 10ms) {
      while (stream->writable()) total += stream->write_some(as_bytes(text)).value_or(0);
      pass(10ms);
    }
    return total;
  }

  Rates rates{1};
  ManualClock clock;
  loop::Reactor reactor{clock};
  http::MadeStream* under = nullptr;
  std::unique_ptr<PacedStream> stream;
  Edges edges;
};

TEST_F(PacedStreamTest, WritesTheBurstAndThenTheRate) {
  make({}, {share(bandwidth("a", 100'000, 300'000), 1)});
  std::uint64_t total = write_for(10s);
  EXPECT_LE(total, 300'000u + 100'000u * 10);
  EXPECT_GE(total, 300'000u + 100'000u * 10 - 2 * 5000);  // a piece is a twentieth of a second
  EXPECT_EQ(under->out.size(), total);
}

TEST_F(PacedStreamTest, ReadsTheBurstAndThenTheRate) {
  make({share(bandwidth("a", 100'000, 300'000), 1)}, {});
  under->come(std::string(5'000'000, 'x'));
  std::uint64_t total = 0;
  std::vector<std::byte> room(64 * 1024);
  for (int i = 0; i <= 1000; ++i) {
    while (stream->readable()) total += stream->read_some(room)->bytes;
    pass(10ms);
  }
  EXPECT_LE(total, 300'000u + 100'000u * 10);
  EXPECT_GE(total, 300'000u + 100'000u * 10 - 2 * 5000);
}

TEST_F(PacedStreamTest, SharesWithOthersOfItsKeyOnly) {
  Share one = share(bandwidth("a", 1000, 10'000), 1), other = share(bandwidth("a", 1000, 10'000), 2);
  make({}, {one});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(20'000, 'x'))), 10'000u);
  auto first = std::move(stream);
  make({}, {one});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(20'000, 'x'))), 0u);
  EXPECT_FALSE(stream->writable());
  auto second = std::move(stream);
  make({}, {other});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(20'000, 'x'))), 10'000u);
}

TEST_F(PacedStreamTest, LetsNobodyOfItsKeyStarve) {
  Share both = share(bandwidth("a", 100'000, 10'000), 1);
  make({both}, {both});
  auto* other_under = new http::MadeStream(reactor);
  PacedStream other(net::AnyStream(other_under), {}, {both});
  under->come(std::string(5'000'000, 'x'));
  std::array<std::uint64_t, 3> moved{};
  const std::string text(64 * 1024, 'x');
  std::vector<std::byte> room(64 * 1024);
  for (int i = 0; i < 1000; ++i) {
    while (stream->writable()) moved[0] += stream->write_some(as_bytes(text)).value_or(0);
    while (other.writable()) moved[1] += other.write_some(as_bytes(text)).value_or(0);
    while (stream->readable()) moved[2] += stream->read_some(room)->bytes;
    pass(10ms);
  }
  EXPECT_LE(moved[0] + moved[1] + moved[2], 10'000u + 100'000u * 10);
  for (std::uint64_t one : moved) EXPECT_GE(one, 200'000u);
}

TEST_F(PacedStreamTest, GivesItsTurnBackWhenItGoes) {
  Share only = share(bandwidth("a", 1000, 1000), 1);
  make({}, {only});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(2000, 'x'))), 1000u);
  stream.reset();
  EXPECT_EQ(rates.table().take_some(1, only.rule->quota, 1000, reactor.now() + 1s), 1000u);
}

TEST_F(PacedStreamTest, ObeysTheNarrowestOfItsLimitsAndChargesNoMoreToTheOthers) {
  Share wide = share(bandwidth("wide", 1000, 50'000), 1), narrow = share(bandwidth("narrow", 1000, 8000), 2);
  make({}, {wide, narrow});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(20'000, 'x'))), 8000u);
  EXPECT_EQ(rates.table().take_some(1, wide.rule->quota, 100'000, reactor.now()),
            41'950u);  // and a turn to come
}

TEST_F(PacedStreamTest, ChargesWhatWentAndNotWhatItOffered) {
  Share only = share(bandwidth("a", 1000, 50'000), 1);
  make({}, {only});
  under->take(100);
  EXPECT_EQ(stream->write_some(as_bytes(std::string(20'000, 'x'))), 100u);
  EXPECT_FALSE(stream->writable());
  EXPECT_EQ(rates.table().take_some(1, only.rule->quota, 100'000, reactor.now()), 49'900u);
}

TEST_F(PacedStreamTest, TellsWhenItMayGoOn) {
  make({}, {share(bandwidth("a", 1000, 1000), 1)});
  EXPECT_EQ(stream->write_some(as_bytes(std::string(1001, 'x'))), 1000u);
  EXPECT_FALSE(stream->writable());
  edges.count = 0;
  pass(49ms);
  EXPECT_EQ(edges.count, 0);
  pass(2ms);
  EXPECT_EQ(edges.count, 1);
  EXPECT_TRUE(stream->writable());
  EXPECT_EQ(stream->write_some(as_bytes(std::string("x"))), 1u);
}

// As TLS does, which sends what is sealed with every read.
TEST_F(PacedStreamTest, LetsNothingPassBeforeItsTurnHoweverOftenThatIsTried) {
  make({share(bandwidth("a", 1000, 1000), 1)}, {share(bandwidth("b", 1000, 1000), 2)});
  under->come(std::string(50'000, 'x'));
  const std::string text(5000, 'x');
  std::vector<std::byte> room(5000);
  std::uint64_t written = 0, read = 0;
  for (int i = 0; i < 100; ++i) {
    written += stream->write_some(as_bytes(text)).value_or(0);
    read += stream->read_some(room)->bytes;
  }
  EXPECT_EQ(written, 1000u);
  EXPECT_EQ(read, 1000u);
  pass(51ms);
  EXPECT_TRUE(stream->readable() && stream->writable());
}

TEST_F(PacedStreamTest, QueuesUpForNothingIfThereIsNoRoom) {
  make({share(bandwidth("a", 1000, 1000), 1)}, {});
  under->come("x");
  EXPECT_EQ(stream->read_some({})->bytes, 0u);
  EXPECT_TRUE(stream->readable());
}

TEST_F(PacedStreamTest, PassesTheEndOnOnceThereIsAShareForIt) {
  make({share(bandwidth("a", 1000, 1000), 1)}, {});
  under->come(std::string(1000, 'x'));
  under->come_to_end(net::Ending::truncated);
  std::vector<std::byte> room(5000);
  EXPECT_EQ(stream->read_some(room)->bytes, 1000u);
  EXPECT_FALSE(stream->read_some(room)->ended);
  EXPECT_FALSE(stream->readable());
  pass(60ms);
  ASSERT_TRUE(stream->readable());
  auto end = stream->read_some(room);
  EXPECT_TRUE(end->ended);
  EXPECT_EQ(end->ending, net::Ending::truncated);
  EXPECT_TRUE(*stream->finish(net::Ending::complete));
  EXPECT_TRUE(under->finished);
}

TEST_F(PacedStreamTest, HoldsBackNoNewsThatTheConnectionBroke) {
  make({share(bandwidth("a", 1000, 1000), 1)}, {share(bandwidth("b", 1000, 1000), 2)});
  under->come(std::string(5000, 'x'));
  std::vector<std::byte> room(5000);
  EXPECT_EQ(stream->read_some(room)->bytes, 1000u);
  EXPECT_EQ(stream->read_some(room)->bytes, 0u);
  EXPECT_EQ(stream->write_some(as_bytes(std::string(2000, 'x'))), 1000u);
  edges.count = 0;
  under->break_off();
  EXPECT_EQ(edges.count, 1);
  EXPECT_TRUE(stream->broken());
  EXPECT_TRUE(stream->readable());
  EXPECT_TRUE(stream->writable());
  EXPECT_EQ(stream->read_some(room).error().code, Errc::reset);
}

TEST_F(PacedStreamTest, LeavesADirectionWithoutLimitAlone) {
  make({}, {share(bandwidth("a", 1000, 1000), 1)});
  under->come(std::string(5000, 'x'));
  std::vector<std::byte> room(5000);
  EXPECT_EQ(stream->read_some(room)->bytes, 5000u);
  EXPECT_EQ(stream->plain_descriptor(), -1);  // spliced bytes would not be counted
}

}  // namespace
}  // namespace lockgate::guard
