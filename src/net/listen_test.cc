#include "net/listen.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <vector>

#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

using namespace std::chrono_literals;

SocketAddress at(std::string_view text) { return *SocketAddress::parse(text); }

SocketAddress on_port(std::string_view ip, std::uint16_t port) { return {*Ip::parse(ip), port}; }

/// Whether the connection is there; on the loopback that is decided at once.
bool connects(const SocketAddress& to) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage room;
  socklen_t size = to.to_system(room);
  return ::connect(fd.number(), reinterpret_cast<sockaddr*>(&room), size) == 0;
}

class UnixPath : public testing::Test {
 protected:
  UnixPath() : path_(testing::TempDir() + "lockgate_listen_test_" + std::to_string(getpid()) + ".sock") {}
  ~UnixPath() override { ::unlink(path_.c_str()); }
  SocketAddress address() const { return SocketAddress::unix_path(path_); }
  std::string path_;
};

int option(const Fd& fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  getsockopt(fd.number(), level, name, &value, &size);
  return value;
}

TEST(Listen, SwitchesOffWhatAChangeOfOptionsSwitchesOff) {
  auto fd = listen(at("127.0.0.1:0"), {.socket = {.keepalive = 60s, .user_timeout = 30s}});
  ASSERT_TRUE(fd);
  EXPECT_EQ(option(*fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30'000);
  tune(fd->number(), {});
  EXPECT_EQ(option(*fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(*fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST(Listen, TakesConnections) {
  auto fd = listen(at("127.0.0.1:0"), {});
  ASSERT_TRUE(fd);
  EXPECT_TRUE(connects(local_address(fd->number())));
}

TEST(Listen, TakesBothFamiliesOnlyIfAsked) {
  auto both = listen(at("[::]:0"), {.both_families = true});
  ASSERT_TRUE(both);
  std::uint16_t port = local_address(both->number()).port();
  EXPECT_TRUE(connects(on_port("127.0.0.1", port)));
  EXPECT_TRUE(connects(on_port("::1", port)));

  auto only6 = listen(at("[::]:0"), {});
  ASSERT_TRUE(only6);
  port = local_address(only6->number()).port();
  EXPECT_FALSE(connects(on_port("127.0.0.1", port)));
  EXPECT_TRUE(connects(on_port("::1", port)));
}

TEST(Listen, LetsTheFamiliesHaveASocketEachOnOnePort) {
  auto six = listen(at("[::]:0"), {.shared_port = false});
  ASSERT_TRUE(six);
  std::uint16_t port = local_address(six->number()).port();
  auto four = listen(on_port("0.0.0.0", port), {.shared_port = false});
  ASSERT_TRUE(four);
  EXPECT_TRUE(connects(on_port("127.0.0.1", port)));
}

TEST(Listen, SharesAPortAmongWorkers) {
  auto first = listen(at("127.0.0.1:0"), {});
  ASSERT_TRUE(first);
  EXPECT_TRUE(listen(local_address(first->number()), {}));
}

TEST(Listen, FailsOnAPortInUseAndCanTellWhoHoldsIt) {
  auto first = listen(at("127.0.0.1:0"), {.shared_port = false});
  ASSERT_TRUE(first);
  SocketAddress taken = local_address(first->number());
  auto second = listen(taken, {.shared_port = false});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().detail.number, EADDRINUSE);
  EXPECT_TRUE(holder_of(taken).ends_with("(pid " + std::to_string(getpid()) + ")")) << holder_of(taken);
  first->reset();
  EXPECT_EQ(holder_of(taken), "");
}

TEST(Listen, HandsItsSocketOptionsOnToWhatItAccepts) {
  auto fd = listen(at("127.0.0.1:0"), {.socket = {.keepalive = 33s}});
  ASSERT_TRUE(fd);
  Fd far = connect_to(local_address(fd->number()));
  Fd near;
  while (!near) near = Fd(::accept4(fd->number(), nullptr, nullptr, SOCK_CLOEXEC));
  int on = 0;
  socklen_t size = sizeof on;
  getsockopt(near.number(), SOL_SOCKET, SO_KEEPALIVE, &on, &size);
  EXPECT_EQ(on, 1);
}

TEST_F(UnixPath, IsReplacedWhenItsProcessHasEnded) {
  {
    auto first = listen(address(), {});
    ASSERT_TRUE(first);
  }
  auto again = listen(address(), {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(connects(address()));
}

TEST_F(UnixPath, IsLeftAloneWhileSomebodyListens) {
  auto first = listen(address(), {});
  ASSERT_TRUE(first);
  auto second = listen(address(), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().detail.number, EADDRINUSE);
  EXPECT_TRUE(connects(address()));
}

TEST_F(UnixPath, IsLeftAloneIfItIsNoSocket) {
  std::ofstream(path_) << "precious";
  EXPECT_FALSE(listen(address(), {}));
  std::string word;
  std::ifstream(path_) >> word;
  EXPECT_EQ(word, "precious");
}

class Counting final : public Acceptor {
 public:
  using Acceptor::Acceptor;
  std::vector<Fd> taken;
  std::vector<SocketAddress> peers;
  std::vector<Error> failures;
  std::function<void()> then = [] {};

 private:
  void accepted(Fd fd, const SocketAddress& peer) override {
    taken.push_back(std::move(fd));
    peers.push_back(peer);
    then();
  }
  void accept_failed(const Error& error) override { failures.push_back(error); }
};

class Accepting : public testing::Test {
 protected:
  Accepting() : listener_(*listen(at("127.0.0.1:0"), {})), address_(local_address(listener_.number())) {}
  void connect(int many) {
    for (int i = 0; i < many; ++i) clients_.push_back(connect_to(address_));
  }
  void turns(loop::Reactor& reactor, int many = 20) {
    for (int i = 0; i < many; ++i) reactor.turn(0ns);
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Fd listener_;
  SocketAddress address_;
  std::vector<Fd> clients_;
};

TEST_F(Accepting, TakesAllAndTellsWhoTheyAre) {
  Counting acceptor(reactor_, listener_.number(), false);
  connect(200);
  turns(reactor_);
  ASSERT_EQ(acceptor.taken.size(), 200u);
  EXPECT_EQ(acceptor.peers[0], local_address(clients_[0].number()));
  EXPECT_TRUE(fcntl(acceptor.taken[0].number(), F_GETFL) & O_NONBLOCK);
}

TEST_F(Accepting, LetsTheOthersHaveTheirTurnWhenManyCome) {
  Counting acceptor(reactor_, listener_.number(), false);
  connect(200);
  reactor_.turn(0ns);
  EXPECT_GT(acceptor.taken.size(), 0u);
  EXPECT_LT(acceptor.taken.size(), 200u);
}

TEST_F(Accepting, LeavesThemWaitingWhileItPauses) {
  Counting acceptor(reactor_, listener_.number(), false);
  acceptor.pause();
  connect(3);
  turns(reactor_);
  EXPECT_EQ(acceptor.taken.size(), 0u);
  acceptor.resume();
  turns(reactor_);
  EXPECT_EQ(acceptor.taken.size(), 3u);
}

TEST_F(Accepting, CanPauseInTheMiddle) {
  Counting acceptor(reactor_, listener_.number(), false);
  acceptor.then = [&] {
    if (acceptor.taken.size() == 2) acceptor.pause();
  };
  connect(5);
  turns(reactor_);
  EXPECT_EQ(acceptor.taken.size(), 2u);
  acceptor.resume();
  turns(reactor_);
  EXPECT_EQ(acceptor.taken.size(), 5u);
}

TEST_F(Accepting, DrainsTheBacklogAtOnce) {
  Counting acceptor(reactor_, listener_.number(), false);
  acceptor.pause();
  connect(150);
  acceptor.drain();
  EXPECT_EQ(acceptor.taken.size(), 150u);
}

TEST_F(Accepting, TriesAgainAMomentLaterWhenDescriptorsHaveRunOut) {
  Counting acceptor(reactor_, listener_.number(), false);
  connect(2);
  {
    loop::Reactor& reactor = reactor_;
    acceptor.failures.reserve(10);
    NoDescriptors none;
    for (int i = 0; i < 20; ++i) reactor.turn(0ns);
  }
  EXPECT_EQ(acceptor.taken.size(), 0u);
  ASSERT_EQ(acceptor.failures.size(), 1u);  // no storm of them
  EXPECT_EQ(acceptor.failures[0].code, Errc::no_resources);
  clock_.advance(1s);
  turns(reactor_);
  EXPECT_EQ(acceptor.taken.size(), 2u);
}

TEST_F(Accepting, NeitherSpinsNorHangsOnASocketThatDoesNotListen) {
  Fd idle = non_blocking_socket(AF_INET);
  Counting acceptor(reactor_, idle.number(), false);
  acceptor.drain();
  EXPECT_EQ(acceptor.failures.size(), 1u);
  turns(reactor_);
  EXPECT_LE(acceptor.failures.size(), 2u);
}

TEST_F(Accepting, IsSharedByWorkersSoThatEachConnectionIsTakenOnce) {
  loop::Reactor other_reactor(clock_);
  Counting first(reactor_, listener_.number(), true);
  Counting second(other_reactor, listener_.number(), true);
  for (int i = 0; i < 100; ++i) {
    connect(1);
    turns(i % 2 == 0 ? reactor_ : other_reactor, 1);
    turns(i % 2 == 0 ? other_reactor : reactor_, 1);
  }
  turns(reactor_);
  turns(other_reactor);
  EXPECT_EQ(first.taken.size() + second.taken.size(), 100u);
}

TEST_F(Accepting, EndsWithTheAcceptorNotWithTheSocket) {
  {
    Counting acceptor(reactor_, listener_.number(), false);
  }
  connect(1);
  turns(reactor_);
  Counting next(reactor_, listener_.number(), false);
  turns(reactor_);
  EXPECT_EQ(next.taken.size(), 1u);
}

TEST_F(UnixPath, HasPeersWithoutAName) {
  ManualClock clock;
  loop::Reactor reactor(clock);
  auto listener = listen(address(), {});
  ASSERT_TRUE(listener);
  Counting acceptor(reactor, listener->number(), false);
  Fd far = connect_to(address());
  for (int i = 0; i < 5; ++i) reactor.turn(0ns);
  ASSERT_EQ(acceptor.peers.size(), 1u);
  EXPECT_EQ(acceptor.peers[0].text(), "unix:(unnamed)");
}

}  // namespace
}  // namespace lockgate::net
