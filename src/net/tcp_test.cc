#include "net/tcp.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <functional>

#include "net/listen.h"
#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

using namespace std::chrono_literals;

class Tcp : public testing::TestWithParam<bool> {
 protected:
  Tcp() {
    SocketPair pair = GetParam() ? unix_pair() : tcp_pair();
    far_ = std::move(pair.far);
    stream_ = *TcpStream::adopt(reactor_, std::move(pair.near));
    turn();
  }
  void turn() { reactor_.turn(0ns); }
  bool turn_until(const std::function<bool()>& done) {
    for (int i = 0; i < 1000; ++i) {
      if (done()) return true;
      reactor_.turn(5ms);
    }
    return false;
  }
  Result<Arrived> read() { return stream_->read_some(room_); }
  std::string text(std::size_t size) const { return std::string(as_text(Bytes(room_).first(size))); }

  SystemClock clock_;
  loop::Reactor reactor_{clock_};
  Fd far_;
  std::unique_ptr<TcpStream> stream_;
  std::array<std::byte, 1000> room_{};
};
INSTANTIATE_TEST_SUITE_P(Over, Tcp, testing::Bool(),
                         [](const auto& over) { return over.param ? "Unix" : "Tcp"; });

TEST_P(Tcp, IsWritableAtOnceAndReadableWhenBytesCome) {
  EXPECT_TRUE(stream_->writable());
  EXPECT_FALSE(stream_->readable());
  give(far_, "abc");
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  auto arrived = read();
  ASSERT_TRUE(arrived);
  EXPECT_EQ(text(arrived->bytes), "abc");
  EXPECT_FALSE(stream_->readable());  // a short read: nothing to ask for until the next edge
  give(far_, "de");
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  EXPECT_EQ(read()->bytes, 2u);
}

TEST_P(Tcp, StaysReadableAfterAReadThatFilledItsRoom) {
  give(far_, std::string(room_.size(), 'x'));
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  EXPECT_EQ(read()->bytes, room_.size());
  EXPECT_TRUE(stream_->readable());
  auto nothing = read();
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->bytes, 0u);
  EXPECT_FALSE(nothing->ended);
  EXPECT_FALSE(stream_->readable());
}

TEST_P(Tcp, SeesTheEndThatCameTogetherWithTheData) {
  give(far_, "abc");
  end_writing(far_);
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  while (stream_->readable()) {  // no other turn: no other edge will come
    auto arrived = read();
    ASSERT_TRUE(arrived);
    if (arrived->ended) return;
  }
  FAIL() << "the end was lost";
}

TEST_P(Tcp, SeesTheEndThatCameAfterTheEventButBeforeTheRead) {
  give(far_, "abc");
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  end_writing(far_);
  bool ended = false;
  ASSERT_TRUE(turn_until([&] {
    while (stream_->readable() && !ended) ended = read()->ended;
    return ended;
  }));
}

TEST_P(Tcp, IsNotWritableWhenFullAndIsToldWhenThereIsRoom) {
  std::string much(1 << 20, 'x');
  std::size_t sent = 0;
  while (stream_->writable()) sent += *stream_->write_some(as_bytes(much));
  turn();
  EXPECT_FALSE(stream_->writable());
  std::size_t taken = 0;
  ASSERT_TRUE(turn_until([&] {
    taken += take(far_).text.size();
    return stream_->writable();
  }));
  ASSERT_TRUE(turn_until([&] {
    taken += take(far_).text.size();
    return taken == sent;
  }));
}

TEST_P(Tcp, GoesOnReadingAfterItHasFinishedWriting) {
  ASSERT_TRUE(stream_->finish(Ending::complete));
  EXPECT_TRUE(turn_until([&] { return take(far_).ended; }));
  give(far_, "later");
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  EXPECT_EQ(read()->bytes, 5u);
}

TEST_P(Tcp, EndsOrderlyWhenItIsDestroyed) {
  stream_.reset();
  EXPECT_TRUE(turn_until([&] { return take(far_).ended; }));
}

class TcpOnly : public Tcp {
 protected:
  /// Resets the connection from afar and lets the news arrive.
  void break_it() {
    reset(far_);
    ASSERT_TRUE(turn_until([&] { return stream_->broken(); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Over, TcpOnly, testing::Values(false), [](const auto&) { return "Tcp"; });

TEST_P(TcpOnly, ResetsWhenItIsDestroyedAfterAbort) {
  stream_->abort();
  stream_.reset();
  EXPECT_TRUE(turn_until([&] { return take(far_).error == ECONNRESET; }));
}

TEST_P(TcpOnly, ReadsWhatCameBeforeAReset) {
  give(far_, "last words");
  break_it();
  EXPECT_EQ(read()->bytes, 10u);
  EXPECT_TRUE(stream_->readable());
  EXPECT_EQ(read().error().code, Errc::reset);
}

TEST_P(TcpOnly, FailsToWriteAfterAReset) {
  break_it();
  EXPECT_EQ(stream_->write_some(as_bytes("x")).error().code, Errc::reset);
}

TEST_P(TcpOnly, CallsItAResetWhenFinishingComesTooLate) {
  break_it();
  EXPECT_EQ(stream_->finish(Ending::complete).error().code, Errc::reset);
}

TEST_P(TcpOnly, KnowsWhyItBrokeAfterTheEnd) {
  end_writing(far_);
  ASSERT_TRUE(turn_until([&] { return stream_->readable(); }));
  ASSERT_TRUE(read()->ended);
  EXPECT_FALSE(stream_->broken());
  break_it();
  Error why = stream_->why_broken("waiting");
  EXPECT_EQ(why.code, Errc::reset);
  EXPECT_STREQ(why.doing, "waiting");
}

TEST_P(TcpOnly, KnowsTheAddressesOfItsEnds) {
  SocketAddress near = local_address(stream_->plain_descriptor());
  EXPECT_EQ(near.ip().text(), "127.0.0.1");
  EXPECT_NE(near.port(), 0);
}

TEST_P(TcpOnly, TellsHowConnectingWentOnceItIsWritable) {
  auto [listener, at] = listening();
  auto good = TcpStream::connect(reactor_, at, {});
  auto bad = TcpStream::connect(reactor_, nobody_at(), {});
  ASSERT_TRUE(good && bad);
  EXPECT_FALSE((*good)->writable());
  ASSERT_TRUE(turn_until([&] { return (*good)->writable() && (*bad)->writable(); }));
  EXPECT_TRUE((*good)->connected());
  EXPECT_EQ((*bad)->connected().error().code, Errc::refused);
}

TEST_P(TcpOnly, FailsWhenDescriptorsHaveRunOut) {
  loop::Reactor& reactor = reactor_;
  SocketAddress to = nobody_at();
  NoDescriptors none;
  auto stream = TcpStream::connect(reactor, to, {});
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, Errc::no_resources);
}

TEST_P(TcpOnly, IsRefusedByAUnixSocketWithAFullBacklog) {
  auto at = SocketAddress::unix_path(testing::TempDir() + "lockgate_tcp_test_" + std::to_string(getpid()) +
                                     ".sock");
  auto listener = listen(at, {.backlog = 0});
  ASSERT_TRUE(listener);
  auto first = TcpStream::connect(reactor_, at, {}), second = TcpStream::connect(reactor_, at, {});
  ::unlink(at.path().c_str());
  EXPECT_TRUE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::refused);
  EXPECT_EQ(second.error().detail.number, EAGAIN);
}

TEST_P(TcpOnly, SetsTheSocketsOptions) {
  auto [listener, at] = listening();
  SocketOptions options{
      .keepalive = 90s, .keepalive_interval = 7s, .keepalive_probes = 4, .user_timeout = 1500ms};
  auto stream = TcpStream::connect(reactor_, at, options);
  auto option = [&](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt((*stream)->plain_descriptor(), level, name, &value, &size);
    return value;
  };
  EXPECT_NE(option(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 90);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 7);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
}

TEST(MetItself, TellsASocketThatIsItsOwnPeer) {
  Fd fd = non_blocking_socket(AF_INET);
  sockaddr_storage room;
  socklen_t size = SocketAddress::parse("127.0.0.1:0")->to_system(room);
  ASSERT_EQ(::bind(fd.number(), reinterpret_cast<sockaddr*>(&room), size), 0);
  SocketAddress own = local_address(fd.number());
  size = own.to_system(room);
  (void)::connect(fd.number(), reinterpret_cast<sockaddr*>(&room), size);
  sockaddr_storage peer;
  ASSERT_EQ(::getpeername(fd.number(), reinterpret_cast<sockaddr*>(&peer), &size), 0);
  EXPECT_TRUE(met_itself(fd.number(), own));
  auto [listener, address] = listening();
  Fd other = connect_to(address);
  EXPECT_FALSE(met_itself(other.number(), address));
}

}  // namespace
}  // namespace lockgate::net
