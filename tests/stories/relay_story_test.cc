// A relay between memory streams: whatever the sizes of the pieces, and whichever operation goes wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "loop/scope.h"
#include "net/relay.h"
#include "stories/memory_stream.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFirst = "hello ";
constexpr std::string_view kUp = "what the client says, in a line of text";
constexpr std::string_view kDown = "and what the upstream answers, which is longer by a little";
constexpr net::RelayTimeouts kTimeouts{.idle = 60s, .half_closed = 10s};
constexpr int kMostTurns = 3000;

struct Ended final : net::RelayOwner {
  void relay_ended(const net::RelayEnd& end) override {
    ++times;
    how = end;
  }
  int times = 0;
  net::RelayEnd how;
};

// A client and an upstream who talk at the same time, and a relay between them.
class Conversation {
 public:
  explicit Conversation(const Manner& manner) : network_(reactor_, manner) {
    auto client = network_.pair("client");
    auto upstream = network_.pair("upstream");
    client_ = std::move(client.far);
    upstream_ = std::move(upstream.far);
    relay_ = std::make_unique<net::Relay>(std::move(client.near), std::move(upstream.near), buffers_,
                                          kTimeouts, ended_);
  }

  /// Everybody says everything; false if the relay has not ended after many turns.
  bool run(Duration step = {}) {
    scope_.spawn(hear(*client_, by_client_));
    scope_.spawn(hear(*upstream_, by_upstream_));
    scope_.spawn(say(*client_, std::string(kUp), true));
    scope_.spawn(say(*upstream_, std::string(kDown), true));
    relay_->begin({}, as_bytes(kFirst));
    bool over = turn_until(reactor_, clock_, [&] { return ended_.times > 0; }, kMostTurns, step);
    bytes_up_ = relay_->bytes_up();
    bytes_down_ = relay_->bytes_down();
    relay_.reset();
    turn_until(reactor_, clock_, [&] { return scope_.size() == 0; }, 10);
    return over;
  }
  Faults& faults() { return network_.faults(); }
  const Ended& ended() const { return ended_; }
  const Heard& by_client() const { return by_client_; }
  const Heard& by_upstream() const { return by_upstream_; }
  std::uint64_t bytes_up() const { return bytes_up_; }
  std::uint64_t bytes_down() const { return bytes_down_; }
  std::size_t talking() const { return scope_.size(); }
  int live() const { return network_.live(); }

 private:
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  MemoryNetwork network_;
  Ended ended_;
  Heard by_client_, by_upstream_;
  net::AnyStream client_, upstream_;
  std::unique_ptr<net::Relay> relay_;
  std::uint64_t bytes_up_ = 0, bytes_down_ = 0;
  loop::Scope scope_{reactor_};
};

class RelayStory : public testing::TestWithParam<Manner> {
 protected:
  /// How many operations a conversation takes that goes well.
  int operations() const {
    Conversation good(GetParam());
    EXPECT_TRUE(good.run());
    return good.faults().counted();
  }
};

std::string all_up() { return std::string(kFirst) + std::string(kUp); }

// Whoever did not get everything must be able to see it.
void expect_no_false_end(const Heard& heard, const std::string& all) {
  EXPECT_TRUE(all.starts_with(heard.text));
  if (heard.text != all) EXPECT_FALSE(heard.ended);
}

TEST_P(RelayStory, DeliversAllBothWaysAndBothEnds) {
  Conversation conversation(GetParam());
  ASSERT_TRUE(conversation.run());
  EXPECT_EQ(conversation.ended().times, 1);
  EXPECT_FALSE(conversation.ended().how.error);
  EXPECT_NE(conversation.ended().how.by, Side::here);
  EXPECT_EQ(conversation.by_upstream().text, all_up());
  EXPECT_TRUE(conversation.by_upstream().ended);
  EXPECT_EQ(conversation.by_client().text, kDown);
  EXPECT_TRUE(conversation.by_client().ended);
  EXPECT_EQ(conversation.bytes_up(), all_up().size());
  EXPECT_EQ(conversation.bytes_down(), kDown.size());
  EXPECT_EQ(conversation.live(), 2);  // the far ends, which the test still has
}

TEST_P(RelayStory, TellsTheSideAndTheReasonWhicheverOperationFails) {
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Conversation conversation(GetParam());
    conversation.faults().fail(nth, {.code = Errc::unreachable, .doing = "testing"});
    ASSERT_TRUE(conversation.run());
    ASSERT_TRUE(conversation.faults().struck());
    Side struck = conversation.faults().struck()->label == "client" ? Side::client : Side::upstream;
    EXPECT_EQ(conversation.ended().times, 1);
    ASSERT_TRUE(conversation.ended().how.error);
    EXPECT_EQ(conversation.ended().how.error->code, Errc::unreachable);
    EXPECT_EQ(conversation.ended().how.error->side, struck);
    EXPECT_EQ(conversation.ended().how.by, struck);
    expect_no_false_end(conversation.by_client(), std::string(kDown));
    expect_no_false_end(conversation.by_upstream(), all_up());
    EXPECT_EQ(conversation.talking(), 0u);
    EXPECT_EQ(conversation.live(), 2);
  }
}

TEST_P(RelayStory, EndsInTimeWhicheverOperationBlocks) {
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Conversation conversation(GetParam());
    conversation.faults().block(nth);
    ASSERT_TRUE(conversation.run(100ms));
    ASSERT_TRUE(conversation.faults().struck());
    EXPECT_EQ(conversation.ended().times, 1);
    if (conversation.ended().how.error) {
      EXPECT_EQ(conversation.ended().how.error->code, Errc::timed_out);
      EXPECT_EQ(conversation.ended().how.error->side, Side::here);
    } else {
      EXPECT_EQ(conversation.faults().struck()->operation, Operation::finish);
    }
    expect_no_false_end(conversation.by_client(), std::string(kDown));
    expect_no_false_end(conversation.by_upstream(), all_up());
    EXPECT_EQ(conversation.live(), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Manners, RelayStory,
                         testing::Values(Manner{}, Manner{.most_read = 1}, Manner{.most_written = 1},
                                         Manner{.most_read = 7, .most_written = 5},
                                         Manner{.most_read = 5, .most_written = 7, .capacity = 16},
                                         Manner{.capacity = 1}, Manner{.most_read = 64, .capacity = 64}),
                         [](const auto& manner) { return "Number" + std::to_string(manner.index); });

TEST(MemoryNetwork, GoesOnToTheNextAddressWhenOneRefuses) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  MemoryNetwork network(reactor);
  std::array addresses{*SocketAddress::parse("192.0.2.1:443"), *SocketAddress::parse("192.0.2.2:443")};
  net::AnyStream far;
  network.listen(addresses[1], [&](net::AnyStream stream) { far = std::move(stream); });
  auto connecting = network.connect(addresses, {}, kNever);
  connecting.start();
  ASSERT_TRUE(turn_until(reactor, clock, [&] { return connecting.finished(); }, 10));
  auto connected = connecting.outcome();
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, addresses[1]);
  EXPECT_TRUE(far);
  EXPECT_EQ(network.faults().counted(), 2);
}

TEST(MemoryNetwork, LosesItselfInABlackHoleUntilTheDeadline) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  MemoryNetwork network(reactor);
  std::array addresses{*SocketAddress::parse("192.0.2.1:443")};
  network.black_hole(addresses[0]);
  Instant deadline = clock.now() + 3s;
  auto connecting = network.connect(addresses, {}, deadline);
  connecting.start();
  ASSERT_TRUE(turn_until(reactor, clock, [&] { return connecting.finished(); }, 100, 100ms));
  EXPECT_GE(clock.now(), deadline);
  EXPECT_EQ(connecting.outcome().error().code, Errc::timed_out);
}

}  // namespace
}  // namespace lockgate::stories
