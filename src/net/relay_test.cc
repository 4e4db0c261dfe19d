// Relays between real sockets. The clock is turned by hand, so only bytes need real time.
#include "net/relay.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

using namespace std::chrono_literals;

constexpr RelayTimeouts kPatient{.idle = 1h, .half_closed = 1h};

static_assert(sizeof(Relay) <= 512, "a parked connection is a small record");

// Two far ends with a relay between their near ends, which is destroyed as soon as it has ended.
struct Joined final : RelayOwner {
  Joined(loop::Reactor& reactor, Buffers& buffers, SocketPair client_pair, SocketPair upstream_pair,
         const RelayTimeouts& timeouts = kPatient)
      : client(std::move(client_pair.far)), upstream(std::move(upstream_pair.far)) {
    auto near_client = TcpStream::adopt(reactor, std::move(client_pair.near));
    auto near_upstream = TcpStream::adopt(reactor, std::move(upstream_pair.near));
    relay =
        std::make_unique<Relay>(std::move(*near_client), std::move(*near_upstream), buffers, timeouts, *this);
  }
  void relay_ended(const RelayEnd& end) override {
    ++ends;
    bytes_up = relay->bytes_up();
    bytes_down = relay->bytes_down();
    if (!kept) relay.reset();
    how = end;
  }
  bool over() const { return ends > 0; }

  Fd client, upstream;
  std::unique_ptr<Relay> relay;
  bool kept = false;
  int ends = 0;
  RelayEnd how;
  std::uint64_t bytes_up = 0, bytes_down = 0;
};

class RelayOverSockets : public testing::Test {
 protected:
  RelayOverSockets() { ignore_broken_pipes(); }

  void join(const RelayTimeouts& timeouts = kPatient) {
    joined_.emplace(reactor_, buffers_, tcp_pair(), tcp_pair(), timeouts);
    joined_->relay->begin({}, {});
  }
  void turn() { reactor_.turn(0ns); }
  bool turn_until(const std::function<bool()>& done) {
    Instant deadline = real_clock_.now() + 30s;
    for (int i = 0; !done(); ++i) {
      turn();
      if (i % 16 == 15) usleep(100);
      if (real_clock_.now() > deadline) return false;
    }
    return true;
  }
  /// Turns for a while in which nothing should happen any more.
  void settle() {
    for (int i = 0; i < 50; ++i) {
      turn();
      usleep(100);
    }
  }
  void arrives(const Fd& at, const std::string& text) {
    std::string heard;
    EXPECT_TRUE(turn_until([&] { return (heard += take(at).text).size() >= text.size(); }));
    EXPECT_EQ(heard, text);
  }
  void ends(const Fd& at) {
    EXPECT_TRUE(turn_until([&] { return take(at).ended; }));
  }
  void is_reset(const Fd& at) {
    EXPECT_TRUE(turn_until([&] {
      int pending = 0;  // for who has read the end, a read tells no more news
      socklen_t size = sizeof pending;
      getsockopt(at.number(), SOL_SOCKET, SO_ERROR, &pending, &size);
      return pending == ECONNRESET || pending == EPIPE || take(at).error == ECONNRESET;
    }));
  }
  bool over() {
    return turn_until([&] { return joined_->over(); });
  }
  const RelayEnd& how() const { return joined_->how; }
  void expect_broken(Errc code, Side side) {
    ASSERT_TRUE(over());
    ASSERT_TRUE(how().error);
    EXPECT_EQ(how().error->code, code) << words(*how().error);
    EXPECT_EQ(how().error->side, side);
    EXPECT_EQ(how().by, side);
  }
  Fd& client() { return joined_->client; }
  Fd& upstream() { return joined_->upstream; }
  Relay& relay() { return *joined_->relay; }

  SystemClock real_clock_;
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Buffers buffers_;
  std::optional<Joined> joined_;
};

TEST_F(RelayOverSockets, EndsWhenBothSidesHaveFinished) {
  join();
  give(client(), "question");
  arrives(upstream(), "question");
  give(upstream(), "answer");
  arrives(client(), "answer");
  end_writing(client());
  ends(upstream());
  EXPECT_FALSE(joined_->over());
  end_writing(upstream());
  ASSERT_TRUE(over());
  EXPECT_FALSE(how().error);
  EXPECT_EQ(how().by, Side::client);
  EXPECT_EQ(joined_->bytes_up, 8u);
  EXPECT_EQ(joined_->bytes_down, 6u);
  ends(client());
}

TEST_F(RelayOverSockets, KeepsTheOtherDirectionOpenWhicheverSideFinishesFirst) {
  for (bool client_first : {true, false}) {
    join();
    Fd& first = client_first ? client() : upstream();
    Fd& second = client_first ? upstream() : client();
    end_writing(first);
    ends(second);
    give(second, "still talking");
    arrives(first, "still talking");
    end_writing(second);
    ends(first);
    ASSERT_TRUE(over());
    EXPECT_EQ(how().by, client_first ? Side::client : Side::upstream);
  }
}

TEST_F(RelayOverSockets, PassesAnEndThatCameTogetherWithData) {
  join();
  give(client(), "all at once");
  end_writing(client());
  arrives(upstream(), "all at once");
  ends(upstream());
}

TEST_F(RelayOverSockets, PassesWhatHadComeBeforeItBegan) {
  joined_.emplace(reactor_, buffers_, tcp_pair(), tcp_pair());
  give(client(), "more");
  end_writing(client());
  end_writing(upstream());
  settle();
  relay().begin(as_bytes("HEADER"), as_bytes("first"));
  arrives(upstream(), "HEADERfirstmore");
  ASSERT_TRUE(over());
  EXPECT_FALSE(how().error);
  EXPECT_EQ(joined_->bytes_up, 9u);
}

TEST_F(RelayOverSockets, ResetsTheOtherSideWhenOneResets) {
  join();
  give(client(), "x");
  arrives(upstream(), "x");
  reset(client());
  expect_broken(Errc::reset, Side::client);
  is_reset(upstream());

  join();
  reset(upstream());
  expect_broken(Errc::reset, Side::upstream);
  is_reset(client());
}

TEST_F(RelayOverSockets, NoticesAResetAfterThatSideHadFinished) {
  join();
  end_writing(client());
  ends(upstream());
  reset(client());
  expect_broken(Errc::reset, Side::client);
  is_reset(upstream());
}

TEST_F(RelayOverSockets, DeliversWhatCameBeforeAReset) {
  join();
  give(upstream(), "last words");
  settle();
  give(upstream(), "!");
  reset(upstream());
  std::string heard;
  EXPECT_TRUE(turn_until([&] { return (heard += take(client(), 11).text).size() == 11; }));
  EXPECT_EQ(heard, "last words!");
  expect_broken(Errc::reset, Side::upstream);
}

// The first read finds so much that the second one is a splice, which meets the reset.
TEST_F(RelayOverSockets, CallsItAResetInTheMiddleOfBulk) {
  join();
  settle();
  give(upstream(), std::string(32 * 1024, 'x'));
  reset(upstream());
  usleep(10'000);
  expect_broken(Errc::reset, Side::upstream);
  Taken last;
  ASSERT_TRUE(turn_until([&] { return (last = take(client())).ended || last.error != 0; }));
  EXPECT_FALSE(last.ended) << "a transfer that was cut off looks complete";
}

TEST_F(RelayOverSockets, TakesBoundedAmountsForAPeerThatNeverReads) {
  join();
  std::string much(1 << 20, 'x');
  std::uint64_t before = 0;
  for (int still = 0; still < 100;) {
    give(client(), much);
    turn();
    usleep(100);
    still = relay().bytes_up() == before ? still + 1 : 0;
    before = relay().bytes_up();
    ASSERT_LT(before, 64u << 20);
  }
  EXPECT_FALSE(joined_->over());
  std::uint64_t taken = 0;
  ASSERT_TRUE(turn_until([&] {
    taken += take(upstream()).text.size();
    return taken >= before;
  }));
  reset(upstream());
  expect_broken(Errc::reset, Side::upstream);
}

TEST_F(RelayOverSockets, EndsWhenNothingMovedForTheIdleTime) {
  join({.idle = 10s, .half_closed = 2s});
  settle();
  clock_.advance(9s);
  give(client(), "x");
  arrives(upstream(), "x");
  clock_.advance(9s);
  settle();
  EXPECT_FALSE(joined_->over());
  clock_.advance(1s + 1ms);
  expect_broken(Errc::timed_out, Side::here);
  is_reset(client());
  is_reset(upstream());
}

TEST_F(RelayOverSockets, IsLessPatientOnceOneSideHasFinished) {
  join({.idle = 100s, .half_closed = 2s});
  clock_.advance(50s);
  settle();
  end_writing(upstream());
  ends(client());
  clock_.advance(1s);
  settle();
  give(client(), "x");
  arrives(upstream(), "x");
  clock_.advance(1900ms);
  settle();
  EXPECT_FALSE(joined_->over());
  clock_.advance(101ms);
  expect_broken(Errc::timed_out, Side::here);
}

TEST_F(RelayOverSockets, WaitsForEverWithoutTimeouts) {
  join({});
  settle();
  clock_.advance(24h * 3000);
  settle();
  end_writing(client());
  ends(upstream());
  clock_.advance(24h * 3000);
  settle();
  EXPECT_FALSE(joined_->over());
}

TEST_F(RelayOverSockets, CanBeCut) {
  join();
  settle();
  relay().cut(Errc::shutting_down, "draining");
  EXPECT_FALSE(joined_->over());
  expect_broken(Errc::shutting_down, Side::here);
  is_reset(client());
  is_reset(upstream());
}

TEST_F(RelayOverSockets, TellsItsEndOnceThoughItIsKept) {
  join();
  joined_->kept = true;
  std::string much(64 * 1024, 'x');
  give(client(), much);
  reset(upstream());
  ASSERT_TRUE(over());
  give(client(), much);
  relay().cut(Errc::shutting_down, "draining");
  settle();
  clock_.advance(2h);
  settle();
  EXPECT_EQ(joined_->ends, 1);
}

// One direction's bytes, made and checked as they go, in pieces of random size.
class Transfer {
 public:
  Transfer(unsigned seed, std::size_t size) : random_(seed), left_(size), size_(size) {
    pattern_.resize(1 << 20);
    std::minstd_rand bytes(seed);
    for (char& c : pattern_) c = static_cast<char>(bytes() >> 8);
  }
  /// Says some of it, and in the end that it is all.
  void say(const Fd& at, std::size_t most) {
    if (left_ == 0) {
      if (!std::exchange(finished_, true)) end_writing(at);
      return;
    }
    left_ -= give(at, piece(size_ - left_, std::min(left_, 1 + random_() % most)));
  }
  /// Hears some of it; false if that was not what was said.
  bool hear(const Fd& at, std::size_t most) {
    Taken taken = take(at, 1 + random_() % most);
    ended_ |= taken.ended;
    for (std::string_view rest = taken.text; !rest.empty();) {
      std::string_view expected = piece(heard_, rest.size());
      if (!rest.starts_with(expected)) return false;
      rest.remove_prefix(expected.size());
      heard_ += expected.size();
    }
    return heard_ <= size_ && taken.error == 0;
  }
  bool done() const { return ended_ && heard_ == size_; }
  std::size_t heard() const { return heard_; }

 private:
  std::string_view piece(std::size_t at, std::size_t size) const {
    return std::string_view(pattern_).substr(at % pattern_.size(), size);
  }

  std::minstd_rand random_;
  std::size_t left_, size_, heard_ = 0;
  bool finished_ = false, ended_ = false;
  std::string pattern_;
};

TEST_F(RelayOverSockets, MovesBulkBothWaysUnchangedPastSlowReaders) {
  join();
  constexpr std::size_t kSize = 64 << 20;
  Transfer up(1, kSize), down(2, kSize / 4);
  std::minstd_rand random(3);
  ASSERT_TRUE(turn_until([&] {
    up.say(client(), 1 << 20);
    down.say(upstream(), 300'000);
    // Slower than what comes: the pipe stays full.
    if (random() % 4 == 0) EXPECT_TRUE(up.hear(upstream(), 1 << 20));
    if (random() % 2 == 0) EXPECT_TRUE(down.hear(client(), 1 << 20));
    return (up.done() && down.done() && joined_->over()) || HasFailure();
  }));
  EXPECT_FALSE(how().error);
  EXPECT_EQ(joined_->bytes_up, kSize);
  EXPECT_EQ(joined_->bytes_down, kSize / 4);
}

TEST_F(RelayOverSockets, MovesBulkThenALittleThenTheEnd) {
  join();
  std::string bulk(1 << 20, 'b');
  std::size_t sent = 0, taken = 0;
  for (int round = 0; round < 5; ++round) {
    for (std::string_view rest = bulk; !rest.empty();) {
      std::size_t now = give(client(), rest);
      sent += now;
      rest.remove_prefix(now);
      turn();
      taken += take(upstream()).text.size();
    }
    ASSERT_TRUE(turn_until([&] { return (taken += take(upstream()).text.size()) == sent; }));
    give(client(), "little");
    sent += 6;
    ASSERT_TRUE(turn_until([&] { return (taken += take(upstream()).text.size()) == sent; }));
  }
  give(client(), "very last");
  end_writing(client());
  arrives(upstream(), "very last");
  ends(upstream());
}

TEST_F(RelayOverSockets, MovesExactlyOneScratchAndTheEnd) {
  SocketPair client_pair = tcp_pair();
  int large = 4 << 20;
  setsockopt(client_pair.near.number(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  setsockopt(client_pair.far.number(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  joined_.emplace(reactor_, buffers_, std::move(client_pair), tcp_pair());
  std::string scratch(Buffers::kScratchSize, 'x');
  std::string_view rest = scratch;
  while (!rest.empty()) rest.remove_prefix(give(client(), rest));
  end_writing(client());
  settle();
  relay().begin({}, {});
  std::size_t taken = 0;
  bool ended = false;
  EXPECT_TRUE(turn_until([&] {
    Taken some = take(upstream());
    taken += some.text.size();
    return ended |= some.ended;
  }));
  EXPECT_EQ(taken, scratch.size());
}

TEST_F(RelayOverSockets, MovesBulkWithoutPipesWhenDescriptorsHaveRunOut) {
  join();
  Transfer warm(4, 100), up(5, 8 << 20);  // a first transfer, so that all classes have been seen
  give(client(), "x");
  arrives(upstream(), "x");
  NoDescriptors none;
  ASSERT_TRUE(turn_until([&] {
    up.say(client(), 1 << 20);
    return !up.hear(upstream(), 1 << 20) || up.done();
  }));
  EXPECT_EQ(up.heard(), 8u << 20);
}

TEST_F(RelayOverSockets, MovesBulkWithoutPipesWhenAllAreLent) {
  std::vector<std::unique_ptr<Pipe>> lent;
  for (std::size_t i = 0; i < Buffers::kMostPipes; ++i) lent.push_back(buffers_.take_pipe());
  join();
  Transfer up(6, 8 << 20);
  ASSERT_TRUE(turn_until([&] {
    up.say(client(), 1 << 20);
    return !up.hear(upstream(), 1 << 20) || up.done();
  }));
  EXPECT_EQ(up.heard(), 8u << 20);
  for (auto& pipe : lent) buffers_.give_pipe(std::move(pipe));
}

TEST_F(RelayOverSockets, GivesItsPipeBackWhenItIsCutInTheMiddleOfBulk) {
  std::vector<std::unique_ptr<Pipe>> lent;
  for (std::size_t i = 1; i < Buffers::kMostPipes; ++i) lent.push_back(buffers_.take_pipe());
  auto one_is_left = [&] {
    auto pipe = buffers_.take_pipe();
    if (!pipe) return false;
    buffers_.give_pipe(std::move(pipe));
    return true;
  };
  join();
  std::string much(1 << 20, 'x');
  // Slower than what comes: the pipe stays full.
  ASSERT_TRUE(turn_until([&] {
    give(client(), much);
    take(upstream(), 16 * 1024);
    return !one_is_left();
  }));
  relay().cut(Errc::shutting_down, "testing");
  ASSERT_TRUE(over());
  EXPECT_TRUE(one_is_left());
  for (auto& pipe : lent) buffers_.give_pipe(std::move(pipe));
}

// Many at once: an edge that is lost anywhere leaves one of them unfinished.
TEST_F(RelayOverSockets, LosesNoEdgeAmongManyRandomTransfers) {
  constexpr unsigned kMany = 60;
  std::minstd_rand random(7);
  auto size = [&] {
    return std::array<std::size_t, 4>{0, 1 + random() % 1000, random() % 300'000,
                                      random() % 3'000'000}[random() % 4];
  };
  struct One {
    Joined joined;
    Transfer up, down;
  };
  std::vector<std::unique_ptr<One>> all;
  for (unsigned i = 0; i < kMany; ++i) {
    all.push_back(std::unique_ptr<One>(new One{
        {reactor_, buffers_, i % 3 == 0 ? unix_pair() : tcp_pair(), i % 4 == 0 ? unix_pair() : tcp_pair()},
        {i, size()},
        {i + 1000, size()}}));
    all.back()->joined.relay->begin({}, {});
  }
  std::size_t most = 1;
  ASSERT_TRUE(turn_until([&] {
    most = std::array<std::size_t, 4>{1, 100, 20'000, 1'000'000}[random() % 4];
    bool over = true;
    for (auto& one : all) {
      if (random() % 3 == 0) one->up.say(one->joined.client, most);
      if (random() % 3 == 0) one->down.say(one->joined.upstream, most);
      if (random() % 5 == 0) EXPECT_TRUE(one->up.hear(one->joined.upstream, 4 * most));
      if (random() % 5 == 0) EXPECT_TRUE(one->down.hear(one->joined.client, 4 * most));
      over &= one->up.done() && one->down.done() && one->joined.over();
    }
    return over || HasFailure();
  }));
  for (auto& one : all) EXPECT_FALSE(one->joined.how.error);
}

}  // namespace
}  // namespace lockgate::net
