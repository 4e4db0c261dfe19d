#include "http/body1.h"

#include <gtest/gtest.h>

#include "http/made_stream.h"

namespace lockgate::http {
namespace {

using namespace std::chrono_literals;
using wire::Framing;

class Receiving : public testing::Test {
 protected:
  void turn() {
    for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
  }
  std::string seen() { return std::string(as_text(receiver_.view())); }
  /// All pieces of a body that comes in pieces of `most` bytes.
  Result<std::string> read_all(Framing framing, std::string_view text, std::size_t most, bool ends) {
    MadeStream stream(reactor_);
    stream.most = most;
    Receiver1 receiver(stream, buffers_);
    stream.come(text);
    if (ends) stream.come_to_end();
    Body1 body;
    body.begin(framing);
    std::string all;
    for (bool last = body.ended(); !last;) {
      auto reading = read_piece(receiver, body, clock_.now() + 5s);
      reading.start();
      if (!reading.finished()) {
        clock_.advance(6s);
        turn();
      }
      CHECK(reading.finished());
      auto piece = reading.outcome();
      if (!piece) return std::unexpected(piece.error());
      EXPECT_TRUE(piece->last || !piece->bytes.empty());
      all += as_text(piece->bytes);
      last = piece->last;
      std::ranges::fill(buffers_.scratch(), std::byte{'?'});  // as others do meanwhile
    }
    EXPECT_EQ(body.bytes(), all.size());
    left_ = std::string(as_text(receiver.view()));
    return all;
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  MadeStream stream_{reactor_};
  Receiver1 receiver_{stream_, buffers_};
  std::string left_;  // behind the body
};

TEST_F(Receiving, HasWhatSetUpHasRead) {
  receiver_.put(as_bytes("seen"));
  EXPECT_EQ(seen(), "seen");
  receiver_.consume(2);
  EXPECT_EQ(seen(), "en");
  receiver_.rest();
  EXPECT_EQ(seen(), "en");
  receiver_.consume(2);
  EXPECT_TRUE(receiver_.empty());
}

TEST_F(Receiving, KeepsWhatIsLeftBeforeOthersUseTheMemory) {
  stream_.come("first second");
  ASSERT_TRUE(receiver_.try_more());
  receiver_.consume(6);
  receiver_.keep();
  std::ranges::fill(buffers_.scratch(), std::byte{'?'});
  EXPECT_EQ(seen(), "second");
  stream_.come(" third");
  ASSERT_TRUE(receiver_.try_more());
  EXPECT_EQ(seen(), "second third");
}

TEST_F(Receiving, WaitsForMoreUntilTheDeadline) {
  auto waiting = receiver_.more(clock_.now() + 5s, "testing");
  waiting.start();
  EXPECT_FALSE(waiting.finished());
  stream_.come("x");
  turn();
  ASSERT_TRUE(waiting.finished());
  EXPECT_EQ(waiting.outcome()->bytes, 1u);
  auto again = receiver_.more(clock_.now() + 5s, "testing");
  again.start();
  clock_.advance(6s);
  turn();
  ASSERT_TRUE(again.finished());
  EXPECT_EQ(again.outcome().error().code, Errc::timed_out);
}

TEST_F(Receiving, CanBeGivenUp) {
  auto waiting = receiver_.more(kNever, "testing");
  waiting.start();
  receiver_.give_up({.code = Errc::too_large, .doing = "testing"});
  turn();
  ASSERT_TRUE(waiting.finished());
  EXPECT_EQ(waiting.outcome().error().code, Errc::too_large);
  auto later = receiver_.more(kNever, "testing");
  later.start();
  ASSERT_TRUE(later.finished());
  EXPECT_EQ(later.outcome().error().code, Errc::too_large);
}

TEST_F(Receiving, ReadsBodiesOfEveryKindInPiecesOfEverySize) {
  const std::string text = "hello, world",
                    chunks = "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nX-Sum: 12\r\n\r\n";
  for (std::size_t most = 1; most < 60; ++most) {
    SCOPED_TRACE(most);
    auto sized = read_all({.body = Framing::Body::sized, .length = 12}, text + "GET", most, false);
    EXPECT_EQ(sized.value_or("(failed)"), text);
    EXPECT_TRUE(std::string_view("GET").starts_with(left_));
    auto chunked = read_all({.body = Framing::Body::chunked}, chunks + "GET", most, false);
    EXPECT_EQ(chunked.value_or("(failed)"), text);
    EXPECT_TRUE(std::string_view("GET").starts_with(left_));
    auto closed = read_all({.body = Framing::Body::until_close}, text, most, true);
    EXPECT_EQ(closed.value_or("(failed)"), text);
  }
}

TEST_F(Receiving, HasNoPieceOfABodyOfNothing) {
  EXPECT_EQ(read_all({.body = Framing::Body::none}, "GET", 10, false), "");
  EXPECT_EQ(read_all({.body = Framing::Body::sized, .length = 0}, "GET", 10, false), "");
  EXPECT_EQ(read_all({.body = Framing::Body::chunked}, "0\r\n\r\n", 10, false), "");
}

TEST_F(Receiving, MissesWhatDoesNotCome) {
  for (auto [framing, text] : {std::pair{Framing{.body = Framing::Body::sized, .length = 12}, "hello"},
                               std::pair{Framing{.body = Framing::Body::chunked}, "5\r\nhello\r\n"}}) {
    EXPECT_EQ(read_all(framing, text, 100, true).error().code, Errc::closed);
    EXPECT_EQ(read_all(framing, text, 100, false).error().code, Errc::timed_out);
  }
  EXPECT_EQ(read_all({.body = Framing::Body::chunked}, "x\r\n", 100, false).error().code, Errc::bad_message);
}

TEST_F(Receiving, TakesATruncatedEndForNone) {
  Body1 body;
  body.begin({.body = Framing::Body::until_close});
  EXPECT_FALSE(body.end(net::Ending::truncated));
  EXPECT_FALSE(body.ended());
  EXPECT_TRUE(body.end(net::Ending::complete));
  EXPECT_TRUE(body.ended());
}

}  // namespace
}  // namespace lockgate::http
