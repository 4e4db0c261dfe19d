// Tunnels through parents made of memory: whatever they answer and in whatever pieces, whenever they end,
// fall silent or are forgotten.
#include <gtest/gtest.h>

#include "loop/scope.h"
#include "proxy/tunnel.h"
#include "stories/memory_stream.h"
#include "stories/tunnel_plays.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr Duration kPatience = 10s;
constexpr int kMostTurns = 10'000;

/// How a parent stops talking before it has said everything.
enum class Stop : std::uint8_t { never, ends, falls_silent };

// Asking a parent for a tunnel.
class Asking {
 public:
  /// The parent says no more than `most` bytes, and then stops.
  explicit Asking(const Play& play, const Manner& manner = {}, Stop stop = Stop::never,
                  std::size_t most = SIZE_MAX)
      : play_(play), stop_(stop), most_(most), network_(reactor_, manner) {
    auto [near, far] = network_.pair("parent");
    near_ = std::move(near);
    far_ = std::move(far);
  }

  void begin() {
    scope_.spawn(answer());
    asking_.emplace(proxy::open_tunnel(*near_, buffers_,
                                       {.kind = play_.kind,
                                        .host = play_.host,
                                        .port = 443,
                                        .user = play_.login ? kUser : "",
                                        .password = play_.login ? kPassword : ""},
                                       begun_ + kPatience, said_));
    asking_->start();
  }
  bool finish(Duration step = 2ms) {
    return turn_until(reactor_, clock_, [&] { return asking_->finished(); }, kMostTurns, step);
  }
  bool run(Duration step = 2ms) {
    begin();
    return finish(step);
  }
  void turn(int turns) {
    turn_until(reactor_, clock_, [] { return false; }, turns);
  }
  /// What came of it, once; with it the bytes that the upstream has said.
  Result<std::string> outcome() {
    auto answer = asking_->outcome();
    if (!answer) return std::unexpected(answer.error());
    std::string early(as_text(answer->early));
    turn(100);
    while (near_->readable()) {
      std::array<std::byte, 64> room;
      auto arrived = near_->read_some(room);
      if (!arrived || arrived->bytes == 0) break;
      early += as_text(Bytes(room).first(arrived->bytes));
    }
    return early;
  }
  /// The task goes, and then the stream.
  void forget() {
    asking_.reset();
    EXPECT_FALSE(near_->reader().taken());
    EXPECT_FALSE(near_->writer().taken());
    near_.reset();
    turn(10);
    EXPECT_EQ(network_.live(), 1);  // the parent's end, which is the test's own
    EXPECT_EQ(scope_.size(), 0u);
  }
  void expect_no_secret() const {
    for (std::string_view secret :
         {kUser, kPassword, std::string_view("s3cret"), std::string_view("dGhlLXVz")}) {
      EXPECT_FALSE(said_.contains(secret)) << said_;
    }
    for (char c : said_) EXPECT_TRUE(c >= ' ' && c <= '~') << said_;
  }

  bool is_over() const { return asking_->finished(); }
  const std::string& said() const { return said_; }
  const std::string& heard() const { return heard_; }
  Faults& faults() { return network_.faults(); }
  Duration took() const { return clock_.now() - begun_; }
  net::Stream& near() { return *near_; }

 private:
  // Plays the parent. It hears to the end, as a server whose client has gone does.
  loop::Task<void> answer() {
    std::size_t expected = 0;
    for (const auto& [hears, says] : play_.exchanges) {
      expected += hears.size();
      while (heard_.size() < expected) {
        auto hearing = hear_some(expected - heard_.size());
        co_await hearing;
      }
      auto saying = say_within(says);
      co_await saying;
    }
    if (play_.ends) {
      auto finished = far_->finish(net::Ending::complete);
      if (!finished) co_return;
    }
    for (;;) {
      auto hearing = hear_some(64);
      co_await hearing;
    }
  }
  loop::Task<void> hear_some(std::size_t most) {
    std::array<std::byte, 512> room;
    Room wanted = Room(room).first(std::min(most, room.size()));
    auto reading = net::read(*far_, wanted, kNever);
    auto size = co_await reading;
    if (size == 0) co_await loop::fail(Errc::closed, "playing the parent");
    heard_ += as_text(Bytes(room).first(size));
  }
  loop::Task<void> say_within(std::string text) {
    bool all = text.size() <= most_;
    text.resize(std::min(text.size(), most_));
    most_ -= text.size();
    auto saying = say(*far_, std::move(text), !all && stop_ == Stop::ends);
    co_await saying;
    if (all) co_return;
    for (;;) {
      auto hearing = hear_some(64);
      co_await hearing;
    }
  }

  const Play& play_;
  Stop stop_;
  std::size_t most_;
  ManualClock clock_;
  Instant begun_ = clock_.now();
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  MemoryNetwork network_;
  net::AnyStream near_, far_;
  std::string said_ = "what was there before", heard_;
  loop::Scope scope_{reactor_};
  std::optional<loop::Task<proxy::TunnelAnswer>> asking_;
};

class TunnelStory : public testing::TestWithParam<std::tuple<Play, Manner>> {
 protected:
  const Play& play() const { return std::get<0>(GetParam()); }
  const Manner& manner() const { return std::get<1>(GetParam()); }
  int operations() const {
    Asking asking(play(), manner());
    EXPECT_TRUE(asking.run());
    return asking.faults().counted();
  }
  /// All that the parent says of itself.
  std::size_t answers() const {
    std::size_t size = 0;
    for (const auto& exchange : play().exchanges) size += exchange.says.size();
    return size - play().early.size();
  }
  void expect_own_outcome(Asking& asking) const {
    auto outcome = asking.outcome();
    if (play().outcome == "open") {
      ASSERT_TRUE(outcome) << words(outcome.error());
      return;
    }
    ASSERT_FALSE(outcome);
    EXPECT_EQ(name_of(outcome.error().code), play().outcome);
    EXPECT_EQ(outcome.error().side, Side::parent);
    EXPECT_EQ(outcome.error().detail, play().detail);
  }
};

TEST_P(TunnelStory, EndsAsTheParentSays) {
  Asking asking(play(), manner());
  ASSERT_TRUE(asking.run());
  std::string expected;
  for (const auto& exchange : play().exchanges) expected += exchange.hears;
  EXPECT_EQ(asking.heard(), expected);
  // Pieces of an answer that is not understood may be too few to tell what it is.
  bool guesses = play().title == "Echoes";
  if (!guesses) EXPECT_EQ(asking.said(), play().said);
  if (guesses) EXPECT_TRUE(asking.said().starts_with("it does not answer in HTTP/1")) << asking.said();
  asking.expect_no_secret();
  if (play().outcome == "open") {
    auto outcome = asking.outcome();
    ASSERT_TRUE(outcome) << words(outcome.error());
    EXPECT_EQ(*outcome, play().early);
  } else {
    expect_own_outcome(asking);
  }
  asking.forget();
}

TEST_P(TunnelStory, FailsAsTheStreamDoesWhicheverOperationFails) {
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Asking asking(play(), manner());
    asking.faults().fail(nth, {.code = Errc::io, .doing = "testing"});
    ASSERT_TRUE(asking.run());
    ASSERT_TRUE(asking.faults().struck());
    asking.expect_no_secret();
    auto outcome = asking.outcome();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().side, Side::parent);
    // What is left of a page when a refusal is known is nobody's need.
    if (outcome.error().code == Errc::io) {
      EXPECT_STRNE(outcome.error().doing, "testing");
    } else {
      EXPECT_EQ(name_of(outcome.error().code), play().outcome);
      EXPECT_EQ(outcome.error().detail.kind, DetailKind::http_status);
    }
    asking.forget();
  }
}

TEST_P(TunnelStory, EndsInTimeWhicheverOperationBlocks) {
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Asking asking(play(), manner());
    asking.faults().block(nth);
    ASSERT_TRUE(asking.run());
    ASSERT_TRUE(asking.faults().struck());
    asking.expect_no_secret();
    auto outcome = asking.outcome();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().side, Side::parent);
    if (outcome.error().detail.kind == DetailKind::http_status) {
      EXPECT_EQ(name_of(outcome.error().code), play().outcome);
    } else {
      EXPECT_EQ(outcome.error().code, Errc::timed_out);
      EXPECT_GE(asking.took(), kPatience);
    }
    EXPECT_LT(asking.took(), kPatience + 100ms);
    asking.forget();
  }
}

TEST_P(TunnelStory, IsClosedAtWhateverByteTheParentEnds) {
  for (std::size_t size = 0; size < answers(); size += answers() > 2000 ? 997 : 1) {
    SCOPED_TRACE(size);
    Asking asking(play(), manner(), Stop::ends, size);
    ASSERT_TRUE(asking.run());
    asking.expect_no_secret();
    auto outcome = asking.outcome();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().side, Side::parent);
    if (outcome.error().code != Errc::closed) {
      EXPECT_EQ(name_of(outcome.error().code), play().outcome);
      EXPECT_EQ(outcome.error().detail, play().detail);
    }
    asking.forget();
  }
}

TEST_P(TunnelStory, EndsInTimeAtWhateverByteTheParentFallsSilent) {
  for (std::size_t size = 0; size < answers(); size += answers() > 2000 ? 997 : 7) {
    SCOPED_TRACE(size);
    Asking asking(play(), manner(), Stop::falls_silent, size);
    ASSERT_TRUE(asking.run());
    asking.expect_no_secret();
    auto outcome = asking.outcome();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().side, Side::parent);
    bool known = outcome.error().detail == play().detail && name_of(outcome.error().code) == play().outcome;
    if (!known) EXPECT_EQ(outcome.error().code, Errc::timed_out);
    EXPECT_LT(asking.took(), known ? kPatience / 2 : kPatience + 500ms);
    if (!known) EXPECT_GE(asking.took(), kPatience);
    asking.forget();
  }
}

TEST_P(TunnelStory, LeavesNothingIfForgottenAtAnyTurn) {
  for (int turns = 0;; ++turns) {
    SCOPED_TRACE(turns);
    Asking asking(play(), manner());
    asking.begin();
    asking.turn(turns);
    bool over = asking.is_over();
    asking.forget();
    if (over) break;
    ASSERT_LT(turns, kMostTurns);
  }
}

// A head of 16 KiB by single bytes is read again with each.
std::vector<std::tuple<Play, Manner>> stories() {
  std::vector<std::tuple<Play, Manner>> all;
  for (const Play& play : plays()) {
    bool large = play.title == "EndlessHead";
    all.emplace_back(play, Manner{});
    all.emplace_back(play, large ? Manner{.most_read = 700} : Manner{.most_read = 7, .most_written = 7});
    if (!large) all.emplace_back(play, Manner{.most_read = 1, .most_written = 1});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, TunnelStory, testing::ValuesIn(stories()), [](const auto& story) {
  std::size_t size = std::get<1>(story.param).most_read;
  return std::get<0>(story.param).title + (size == SIZE_MAX ? "Whole" : "By" + std::to_string(size));
});

TEST(UntoldTunnel, SendsNothingThatItsProtocolCannotTell) {
  for (ParentKind kind : {ParentKind::http, ParentKind::socks5}) {
    for (std::string host : {"", "a b", "a\r\nX: y", "fe80::1%lo"}) {
      Play play{.title = host, .kind = kind, .exchanges = {}, .host = host};
      Asking asking(play);
      asking.begin();
      ASSERT_TRUE(asking.is_over());
      auto outcome = asking.outcome();
      ASSERT_FALSE(outcome);
      EXPECT_EQ(outcome.error().code, Errc::bad_message);
      EXPECT_EQ(outcome.error().side, Side::here);
      EXPECT_EQ(asking.faults().counted(), 0);
    }
  }
}

TEST(UntoldTunnel, SaysWhatSocksCannotTellOfALogin) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  net::Buffers buffers;
  MemoryNetwork network(reactor);
  auto [near, far] = network.pair("parent");
  std::string said, longer(256, 'x');
  auto asking = proxy::open_tunnel(
      *near, buffers, {.kind = ParentKind::socks5, .host = "a", .port = 1, .user = longer, .password = "p"},
      kNever, said);
  asking.start();
  ASSERT_TRUE(asking.finished());
  EXPECT_EQ(asking.outcome().error().side, Side::here);
  EXPECT_EQ(said, "the user name is longer than the 255 bytes that SOCKS5 has for it");
  EXPECT_EQ(network.faults().counted(), 0);
}

TEST(ForeignTunnel, QuotesWhatAnswersInAnotherProtocol) {
  Play play{.title = "Ssh",
            .exchanges = {{asked(), "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"}},
            .outcome = "bad_message"};
  Asking asking(play);
  ASSERT_TRUE(asking.run());
  EXPECT_EQ(
      asking.said(),
      "it does not answer in HTTP/1 but with \"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\": is it a proxy?");
}

// The password stands across the end of what is read of a page, and across that of what is quoted.
TEST(SecretTunnel, TellsNoPartOfAPasswordWhereAPageIsCut) {
  for (std::size_t at = 4096 - 20; at < 4096 + 5; ++at) {
    std::string page =
        "<p>denied<!--" + std::string(at - 13 - 3, 'x') + "-->" + std::string(kPassword) + " tail";
    Play play{.title = "Cut",
              .exchanges = {{asked(true), page_of("407 x", "", page)}},
              .outcome = "refused",
              .login = true};
    Asking asking(play);
    ASSERT_TRUE(asking.run());
    asking.expect_no_secret();
    EXPECT_FALSE(asking.said().contains("s3")) << asking.said();
    EXPECT_TRUE(asking.said().contains("denie")) << asking.said();
  }
  for (std::size_t at = 210; at < 245; ++at) {
    std::string page = std::string(at, 'x') + " " + std::string(kPassword) + " and something behind it, too";
    Play play{.title = "Quoted",
              .exchanges = {{asked(true), page_of("407 x", "", page)}},
              .outcome = "refused",
              .login = true};
    Asking asking(play);
    ASSERT_TRUE(asking.run());
    EXPECT_FALSE(asking.said().contains("s3")) << asking.said();
  }
}

TEST(SilentTunnel, SaysThatAnHttpProxyMayBeWaitingForMore) {
  Play play{.title = "Silent", .kind = ParentKind::socks5, .exchanges = {{std::string(kGreetOpen), ""}}};
  Asking asking(play);
  ASSERT_TRUE(asking.run());
  EXPECT_EQ(asking.outcome().error().code, Errc::timed_out);
  EXPECT_EQ(asking.said(), "it says nothing: is it a proxy for SOCKS5?");
}

TEST(RefusedTunnel, NamesAnAddressOfIpv6InBrackets) {
  Play play{.title = "Ipv6",
            .exchanges = {{asked_for("[2001:db8::1]:443", false), page_of("502 x", "", "")}},
            .outcome = "unreachable",
            .host = "2001:db8::1"};
  Asking asking(play);
  ASSERT_TRUE(asking.run());
  EXPECT_EQ(asking.said(), "502 x; it cannot reach [2001:db8::1]:443");
}

/// What is said when a parent answers with `answer` to a request with this login.
std::string said_of(std::string_view user, std::string_view password, const std::string& answer) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  net::Buffers buffers;
  MemoryNetwork network(reactor);
  auto [near, far] = network.pair("parent");
  std::string said;
  auto asking = proxy::open_tunnel(
      *near, buffers,
      {.kind = ParentKind::http, .host = "a.example", .port = 1, .user = user, .password = password}, kNever,
      said);
  asking.start();
  auto answering = say(*far, answer, false);
  answering.start();
  EXPECT_TRUE(turn_until(reactor, clock, [&] { return asking.finished(); }, 100));
  return said;
}

// Nothing of the parent's words is told when its head cannot be read without them.
TEST(SecretTunnel, TellsOnlyTheStatusIfASecretIsPartOfTheProtocol) {
  EXPECT_EQ(said_of("HTTP", "/", page_of("407 Not HTTP", "", "HTTP and / are wrong")),
            "407; it does not accept this user and password; its page says: *** and *** are wrong");
}

// Making a page readable would change them, so that they would not be known any more.
TEST(SecretTunnel, KnowsSecretsThatLookLikePartsOfAPage) {
  EXPECT_EQ(said_of("user", "pa<i>ss", page_of("407 a", "", "pa<i>ss, pa&lt;i>ss")),
            "407 a; it does not accept this user and password; its page says: ***, ***");
  EXPECT_EQ(said_of("user", "p\xe4ss", page_of("407 p\xe4ss", "", "p\xe4ss")),
            "407 ***; it does not accept this user and password; its page says: ***");
}

}  // namespace
}  // namespace lockgate::stories
