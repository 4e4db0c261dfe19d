#include "net/stream.h"

#include <gtest/gtest.h>

#include <functional>

#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

using namespace std::chrono_literals;

class Streams : public testing::Test {
 protected:
  Streams() {
    SocketPair pair = tcp_pair();
    far_ = std::move(pair.far);
    stream_ = *TcpStream::adopt(reactor_, std::move(pair.near));
  }
  bool turn_until(const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
      if (done()) return true;
      clock_.advance(1ms);
      reactor_.turn(0ns);
      usleep(200);
    }
    return false;
  }
  template <class T>
  bool finish(loop::Task<T>& task) {
    return turn_until([&] { return task.finished(); });
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Fd far_;
  AnyStream stream_;
  std::array<std::byte, 100> room_{};
};

TEST_F(Streams, AReadWaitsForTheFirstBytes) {
  auto reading = read(*stream_, room_, kNever);
  reading.start();
  reactor_.turn(0ns);
  EXPECT_FALSE(reading.finished());
  give(far_, "abc");
  ASSERT_TRUE(finish(reading));
  EXPECT_EQ(*reading.outcome(), 3u);
}

TEST_F(Streams, AReadOfTheEndIsNoBytes) {
  end_writing(far_);
  auto reading = read(*stream_, room_, kNever);
  reading.start();
  ASSERT_TRUE(finish(reading));
  EXPECT_EQ(*reading.outcome(), 0u);
}

TEST_F(Streams, AReadGivesUpAtItsDeadlineAndNotBefore) {
  Instant deadline = clock_.now() + 50ms;
  auto reading = read(*stream_, room_, deadline);
  reading.start();
  ASSERT_TRUE(finish(reading));
  EXPECT_GE(clock_.now(), deadline);
  EXPECT_EQ(reading.outcome().error().code, Errc::timed_out);
}

TEST_F(Streams, AReadFailsWhenTheConnectionIsReset) {
  auto reading = read(*stream_, room_, kNever);
  reading.start();
  reset(far_);
  ASSERT_TRUE(finish(reading));
  EXPECT_EQ(reading.outcome().error().code, Errc::reset);
}

TEST_F(Streams, ALongWriteGoesOnAsThePeerReads) {
  std::string much(8 << 20, 'x');
  auto writing = write(*stream_, as_bytes(much), kNever);
  writing.start();
  EXPECT_FALSE(writing.finished());
  std::size_t taken = 0;
  ASSERT_TRUE(turn_until([&] {
    taken += take(far_).text.size();
    return taken == much.size();
  }));
  ASSERT_TRUE(finish(writing));
  EXPECT_TRUE(writing.outcome());
}

TEST_F(Streams, AWriteGivesUpAtItsDeadlineIfThePeerDoesNotRead) {
  std::string much(16 << 20, 'x');
  auto writing = write(*stream_, as_bytes(much), clock_.now() + 50ms);
  writing.start();
  ASSERT_TRUE(finish(writing));
  EXPECT_EQ(writing.outcome().error().code, Errc::timed_out);
}

TEST_F(Streams, AWaitingReadCanBeDestroyedAndBegunAnew) {
  {
    auto abandoned = read(*stream_, room_, clock_.now() + 5ms);
    abandoned.start();
  }
  give(far_, "abc");
  auto reading = read(*stream_, room_, kNever);
  reading.start();
  ASSERT_TRUE(finish(reading));
  EXPECT_EQ(*reading.outcome(), 3u);
}

}  // namespace
}  // namespace lockgate::net
