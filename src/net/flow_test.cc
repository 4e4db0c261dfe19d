#include "net/flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace lockgate::net {
namespace {

// A stream with a supply of bytes to read and an appetite for bytes to write.
class Stub final : public Stream {
 public:
  explicit Stub(loop::Reactor& reactor) : Stream(reactor) { readable_ = writable_ = true; }

  Result<Arrived> read_some(Room room) override {
    ++reads;
    if (read_error) return std::unexpected(*read_error);
    std::size_t size = std::min(room.size(), supply);
    supply -= size;
    std::fill_n(room.begin(), size, std::byte{'s'});
    if (size > 0) return Arrived{.bytes = size};
    readable_ = false;
    return Arrived{.ended = ends};
  }
  Result<std::size_t> write_some(Bytes bytes) override {
    if (write_error) return std::unexpected(*write_error);
    std::size_t size = std::min(bytes.size(), appetite);
    appetite -= size;
    eaten += as_text(bytes.first(size));
    if (size < bytes.size()) writable_ = false;
    return size;
  }
  Result<bool> finish(Ending) override {
    ++finishes;
    if (finish_error) return std::unexpected(*finish_error);
    return true;
  }
  void feed(std::size_t more) {
    appetite = more;
    writable_ = true;
  }
  void say(std::size_t more) {
    supply = more;
    readable_ = true;
  }
  void end() { ends = readable_ = true; }
  void break_off() { broken_ = true; }

  std::size_t supply = 0, appetite = std::numeric_limits<std::size_t>::max();
  bool ends = false;
  int reads = 0, finishes = 0;
  std::string eaten;
  std::optional<Error> read_error, write_error, finish_error;
};

class FlowBetweenStubs : public testing::Test {
 protected:
  static constexpr std::size_t kScratch = Buffers::kScratchSize;

  bool pump() {
    auto more = flow_.pump();
    EXPECT_TRUE(more);
    return more && *more;
  }

  SystemClock clock_;
  loop::Reactor reactor_{clock_};
  Buffers buffers_;
  Stub from_{reactor_}, to_{reactor_};
  Flow flow_{from_, Side::client, to_, Side::upstream, buffers_};
};

TEST_F(FlowBetweenStubs, SendsTheHeaderAndTheFirstBytesBeforeAllElse) {
  flow_.send_first(as_bytes("HEADER "), as_bytes("first "));
  from_.say(3);
  EXPECT_FALSE(pump());
  EXPECT_EQ(to_.eaten, "HEADER first sss");
  EXPECT_EQ(flow_.bytes(), 9u);  // the header is ours, not the client's
}

TEST_F(FlowBetweenStubs, PassesTheEndOnOnce) {
  from_.say(10);
  EXPECT_FALSE(pump());
  EXPECT_FALSE(flow_.finished());
  from_.end();
  EXPECT_FALSE(pump());
  EXPECT_TRUE(flow_.finished());
  EXPECT_FALSE(pump());
  EXPECT_EQ(to_.finishes, 1);
  EXPECT_EQ(to_.eaten.size(), 10u);
}

TEST_F(FlowBetweenStubs, PassesTheEndOnBehindTheLastByteOnly) {
  to_.feed(4);
  from_.say(10);
  EXPECT_FALSE(pump());
  from_.end();
  EXPECT_FALSE(pump());
  EXPECT_EQ(to_.finishes, 0);
  to_.feed(100);
  EXPECT_FALSE(pump());
  EXPECT_TRUE(flow_.finished());
  EXPECT_EQ(to_.eaten.size(), 10u);
}

TEST_F(FlowBetweenStubs, ReadsNoMoreThanOneScratchAheadOfTheReceiver) {
  to_.feed(0);
  from_.say(100 * kScratch);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(pump());
  EXPECT_EQ(flow_.bytes(), kScratch);
  EXPECT_EQ(from_.reads, 1);
  to_.feed(kScratch - 1);
  EXPECT_FALSE(pump());
  EXPECT_EQ(flow_.bytes(), kScratch);  // one byte is still kept
  to_.feed(1);
  EXPECT_FALSE(pump());
  EXPECT_EQ(flow_.bytes(), 2 * kScratch);
}

TEST_F(FlowBetweenStubs, ReadsAgainAfterAReadThatFilledTheScratchExactly) {
  from_.say(kScratch);
  from_.ends = true;
  while (!flow_.finished() && from_.readable()) pump();
  EXPECT_EQ(to_.eaten.size(), kScratch);
  from_.end();
  pump();
  EXPECT_TRUE(flow_.finished());
}

TEST_F(FlowBetweenStubs, AsksForAnotherTurnWhenAFairShareIsDone) {
  from_.say(1000 * kScratch);
  EXPECT_TRUE(pump());
  EXPECT_LT(flow_.bytes(), 20 * kScratch);
  EXPECT_GT(flow_.bytes(), kScratch);
}

TEST_F(FlowBetweenStubs, NamesTheSideThatBroke) {
  from_.read_error = Error{.code = Errc::timed_out};
  auto read = flow_.pump();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::timed_out);
  EXPECT_EQ(read.error().side, Side::client);

  Flow writing(from_, Side::client, to_, Side::upstream, buffers_);
  from_.read_error.reset();
  from_.say(1);
  to_.write_error = Error{.code = Errc::reset};
  auto written = writing.pump();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().side, Side::upstream);

  Flow ending(from_, Side::client, to_, Side::upstream, buffers_);
  from_.end();
  to_.finish_error = Error{.code = Errc::reset};
  auto finished = ending.pump();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().side, Side::upstream);
}

TEST_F(FlowBetweenStubs, TellsThatItsSenderBrokeAfterTheEnd) {
  from_.end();
  EXPECT_FALSE(pump());
  ASSERT_TRUE(flow_.finished());
  from_.break_off();
  auto broken = flow_.pump();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Errc::reset);
  EXPECT_EQ(broken.error().side, Side::client);
}

TEST_F(FlowBetweenStubs, KnowsWhetherAnythingMoved) {
  EXPECT_FALSE(pump());
  EXPECT_FALSE(flow_.take_moved());
  from_.say(10);
  to_.feed(4);
  EXPECT_FALSE(pump());
  EXPECT_TRUE(flow_.take_moved());
  EXPECT_FALSE(flow_.take_moved());
  EXPECT_FALSE(pump());
  EXPECT_FALSE(flow_.take_moved());  // stuck
  to_.feed(1);
  EXPECT_FALSE(pump());
  EXPECT_TRUE(flow_.take_moved());
}

}  // namespace
}  // namespace lockgate::net
