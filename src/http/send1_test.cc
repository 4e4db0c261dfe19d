#include "http/send1.h"

#include <gtest/gtest.h>

#include "http/made_stream.h"

namespace lockgate::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// Sends all of it, as an exchange does.
loop::Task<void> send_all(Sender1& sender, std::string& head, Piece first) {
  auto sent = sender.send(head, first);
  if (!sent) co_await loop::fail(sent.error());
  if (*sent) co_return;
  auto draining = sender.drain(5s);
  co_await draining;
}

loop::Task<void> write_all(Sender1& sender, Piece piece) {
  auto written = sender.write(piece);
  if (!written) co_await loop::fail(written.error());
  if (*written) co_return;
  auto draining = sender.drain(5s);
  co_await draining;
}

class Sending : public testing::Test {
 protected:
  Result<void> send(std::string head, std::string_view text, bool last) {
    auto sending = send_all(sender_, head, {.bytes = as_bytes(text), .last = last});
    return outcome(sending);
  }
  Result<void> write(std::string_view text, bool last) {
    auto writing = write_all(sender_, {.bytes = as_bytes(text), .last = last});
    return outcome(writing);
  }
  Result<void> outcome(loop::Task<void>& task) {
    task.start();
    EXPECT_TRUE(task.finished());
    return task.outcome();
  }
  void turn() {
    for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  Desk desk_{buffers_};
  MadeStream stream_{reactor_};
  Sender1 sender_{stream_, desk_};
};

TEST_F(Sending, WritesASizedBodyAsItIs) {
  sender_.begin(BodyForm::sized, 5);
  EXPECT_TRUE(send("head ", "he", false));
  EXPECT_FALSE(sender_.ended());
  EXPECT_TRUE(write("llo", false));  // the size tells the end
  EXPECT_TRUE(sender_.ended());
  EXPECT_EQ(stream_.out, "head hello");
  EXPECT_EQ(sender_.bytes(), 5u);
}

TEST_F(Sending, PutsPiecesIntoChunks) {
  sender_.begin(BodyForm::chunked, 0);
  EXPECT_TRUE(send("head ", "", false));
  EXPECT_TRUE(write("hello", false));
  EXPECT_TRUE(write("0123456789abcdef", false));
  EXPECT_TRUE(write("", true));
  EXPECT_EQ(stream_.out, "head 5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
  EXPECT_TRUE(sender_.ended());
}

TEST_F(Sending, PutsTrailersBehindTheLastChunk) {
  Fields trailers;
  trailers.add("X-Sum", "5", FieldName::other);
  sender_.begin(BodyForm::chunked, 0);
  sender_.add_trailers(trailers.list());
  EXPECT_TRUE(send("", "hello", true));
  EXPECT_EQ(stream_.out, "5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n");
}

TEST_F(Sending, WritesNothingAroundABodyThatTheCloseEnds) {
  sender_.begin(BodyForm::until_close, 0);
  EXPECT_TRUE(send("head ", "hel", false));
  EXPECT_TRUE(write("lo", false));
  EXPECT_FALSE(sender_.ended());
  EXPECT_TRUE(write("", true));
  EXPECT_TRUE(sender_.ended());
  EXPECT_EQ(stream_.out, "head hello");
}

TEST_F(Sending, LeavesOutABodyWhereThereIsNone) {
  sender_.begin(BodyForm::none, 0);
  EXPECT_TRUE(send("head", "hello", false));
  EXPECT_EQ(stream_.out, "head");
  EXPECT_TRUE(sender_.ended());
}

TEST_F(Sending, FailsForMoreThanWasPromised) {
  sender_.begin(BodyForm::sized, 5);
  EXPECT_TRUE(send("", "hel", false));
  auto written = write("lo!", false);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::bad_message);
  EXPECT_EQ(stream_.out, "hel");
}

TEST_F(Sending, FailsForLessThanWasPromised) {
  sender_.begin(BodyForm::sized, 5);
  EXPECT_TRUE(send("", "hel", false));
  EXPECT_FALSE(write("l", true));
  EXPECT_FALSE(sender_.ended());
}

TEST_F(Sending, MayBeTriedAgainOnlyIfNothingHasGone) {
  sender_.begin(BodyForm::none, 0);
  stream_.break_off();
  auto sent = send("head", "", true);
  ASSERT_FALSE(sent);
  EXPECT_TRUE(sent.error().retryable);
}

TEST_F(Sending, WaitsAsLongAsTheReceiverTakesSomething) {
  sender_.begin(BodyForm::sized, 4);
  stream_.take(2);
  std::string head = "head";
  auto sending = send_all(sender_, head, {.bytes = as_bytes("body"), .last = true});
  sending.start();
  for (int bytes = 0; bytes < 3; ++bytes) {
    clock_.advance(4s);
    stream_.take(1);
    turn();
    EXPECT_FALSE(sending.finished());
    EXPECT_FALSE(sender_.ended());  // given, but not gone
  }
  clock_.advance(6s);
  turn();
  ASSERT_TRUE(sending.finished());
  auto outcome = sending.outcome();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Errc::timed_out);
  EXPECT_FALSE(outcome.error().retryable);
  EXPECT_EQ(stream_.out, "headb");
}

// An interim answer that was given up half way must not break the one behind it.
TEST_F(Sending, KeepsTheOrderWhoeverGaveUp) {
  for (bool given_up : {false, true}) {
    stream_.out.clear();
    sender_.begin(BodyForm::none, 0);
    stream_.take(3);
    std::string interim = "interim ";
    std::optional<loop::Task<void>> first = send_all(sender_, interim, {.bytes = {}, .last = true});
    first->start();
    if (given_up) first.reset();
    sender_.begin(BodyForm::sized, 4);
    std::string head = "final ";
    auto second = send_all(sender_, head, {.bytes = as_bytes("body"), .last = true});
    second.start();
    EXPECT_FALSE(second.finished());
    for (int i = 0; i < 20; ++i) {
      stream_.take(1);
      turn();
    }
    EXPECT_TRUE(second.finished());
    if (first) EXPECT_TRUE(first->finished());
    EXPECT_EQ(stream_.out, "interim final body");
    EXPECT_TRUE(sender_.ended());
    stream_.take(SIZE_MAX);
  }
}

TEST_F(Sending, WritesLargePiecesWithoutLoss) {
  std::string large(100'000, 'x');
  sender_.begin(BodyForm::chunked, 0);
  stream_.take(70'000);
  auto sending = write_all(sender_, {.bytes = as_bytes(large), .last = true});
  sending.start();
  EXPECT_FALSE(sending.finished());
  stream_.take(SIZE_MAX);
  turn();
  EXPECT_TRUE(sending.finished());
  EXPECT_EQ(stream_.out, "186a0\r\n" + large + "\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace lockgate::http
