#include "net/connect.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <fstream>

#include "net/made_sockets.h"

namespace lockgate::net {
namespace {

using namespace std::chrono_literals;

SocketAddress at(std::string_view text) { return *SocketAddress::parse(text); }

class Connecting : public testing::Test {
 protected:
  /// Connects and says how that went, and how long it took.
  Result<Connected> connect(std::vector<SocketAddress> addresses, Duration patience = 5s) {
    Instant began = clock_.now();
    auto task = connector_.connect(addresses, {}, reactor_.now() + patience);
    task.start();
    while (!task.finished() && clock_.now() - began < 10s) reactor_.turn(10ms);
    took_ = clock_.now() - began;
    if (!task.finished()) return failure(Errc::io, "waiting for the test");
    return task.outcome();
  }

  SystemClock clock_;
  loop::Reactor reactor_{clock_};
  SystemConnector connector_{reactor_};
  Duration took_{};
};

TEST_F(Connecting, TellsWhichAddressAnswered) {
  auto [listener, good] = listening();
  auto connected = connect({good});
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, good);
  EXPECT_TRUE(connected->stream->writable());
}

TEST_F(Connecting, GoesOnAtOnceWhenAnAddressRefuses) {
  auto [listener, good] = listening();
  auto connected = connect({nobody_at(), nobody_at(), good});
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, good);
  EXPECT_LT(took_, 200ms);
}

TEST_F(Connecting, FailsWithTheLastAddressesErrorWhenAllRefuse) {
  auto connected = connect({nobody_at(), nobody_at()});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::refused);
}

TEST_F(Connecting, GivesAnAddressAHeadStartAndThenTriesTheNext) {
  BlackHole hole;
  auto [listener, good] = listening();
  auto connected = connect({hole.address(), good});
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, good);
  EXPECT_GE(took_, 249ms);
  EXPECT_LT(took_, 2s);
}

TEST_F(Connecting, EndsAHeadStartWhenThatAttemptFails) {
  BlackHole hole;
  auto [listener, good] = listening();
  auto connected = connect({hole.address(), nobody_at(), good});
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, good);
  EXPECT_LT(took_, 450ms);  // one head start, not two
}

TEST_F(Connecting, StillWaitsForTheFirstWhenTheLastHasFailed) {
  auto [listener, full] = listening(0);
  std::array<Fd, 2> filling{connect_to(full), connect_to(full)};
  std::vector<SocketAddress> addresses{full, nobody_at()};
  auto waiting = connector_.connect(addresses, {}, reactor_.now() + 20s);
  waiting.start();
  for (int i = 0; i < 50 && !waiting.finished(); ++i) reactor_.turn(10ms);
  EXPECT_FALSE(waiting.finished());
  std::vector<Fd> accepted;
  for (int i = 0; i < 500 && !waiting.finished(); ++i) {
    Fd fd(::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC));
    if (fd) accepted.push_back(std::move(fd));
    reactor_.turn(10ms);
  }
  ASSERT_TRUE(waiting.finished());
  auto connected = waiting.outcome();
  ASSERT_TRUE(connected);
  EXPECT_EQ(connected->address, full);
}

TEST_F(Connecting, GivesUpAtTheDeadline) {
  BlackHole one, other;
  auto connected = connect({one.address(), other.address()}, 400ms);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Errc::timed_out);
  EXPECT_GE(took_, 399ms);
  EXPECT_LT(took_, 2s);
}

TEST_F(Connecting, LeavesNothingBehindWhenItIsCancelled) {
  BlackHole hole;
  std::vector<SocketAddress> addresses{hole.address(), hole.address()};
  std::size_t before = open_descriptors();
  {
    auto task = connector_.connect(addresses, {}, reactor_.now() + 20s);
    task.start();
    for (int i = 0; i < 30; ++i) reactor_.turn(10ms);
    EXPECT_EQ(open_descriptors(), before + 2);
  }
  EXPECT_EQ(open_descriptors(), before);
  reactor_.turn(10ms);
}

TEST_F(Connecting, ClosesTheLosers) {
  BlackHole hole;
  auto [listener, good] = listening();
  std::size_t before = open_descriptors();
  auto connected = connect({hole.address(), good});
  ASSERT_TRUE(connected);
  EXPECT_EQ(open_descriptors(), before + 1);
}

TEST_F(Connecting, ReachesUnixSocketsAndIpv6) {
  std::string path = testing::TempDir() + "lockgate_connect_test.sock";
  ::unlink(path.c_str());
  auto [listener, address] = listening(8, "unix:" + path);
  EXPECT_TRUE(connect({SocketAddress::unix_path(path)}));
  ::unlink(path.c_str());
  auto gone = connect({SocketAddress::unix_path(path)});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Errc::unreachable);
  auto [listener6, good6] = listening(8, "[::1]:0");
  EXPECT_TRUE(connect({good6}));
}

// In a network of its own, where the kernel has but one port to give away: the one that is asked for.
TEST_F(Connecting, IsRefusedByItself) {
  enum Outcome { kRefused, kConnected, kNoNetwork };
  pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(kNoNetwork);
    Fd any = non_blocking_socket(AF_INET);
    ifreq loopback{.ifr_ifrn = {"lo"}, .ifr_ifru = {.ifru_flags = IFF_UP | IFF_RUNNING}};
    std::ofstream ports("/proc/sys/net/ipv4/ip_local_port_range");
    ports << "40000 40000" << std::flush;
    if (!ports || ::ioctl(any.number(), SIOCSIFFLAGS, &loopback) != 0) ::_exit(kNoNetwork);
    auto connected = connect({at("127.0.0.1:40000")});
    ::_exit(!connected && connected.error().code == Errc::refused ? kRefused : kConnected);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNoNetwork) GTEST_SKIP() << "this user may not make a network";
  EXPECT_EQ(WEXITSTATUS(status), kRefused);
}

TEST(Interleaved, LetsTheFamiliesTakeTurns) {
  std::vector<SocketAddress> addresses{at("[2001:db8::1]:1"), at("[2001:db8::2]:1"), at("[2001:db8::3]:1"),
                                       at("192.0.2.1:1"), at("192.0.2.2:1")};
  std::vector<SocketAddress> expected{at("[2001:db8::1]:1"), at("192.0.2.1:1"), at("[2001:db8::2]:1"),
                                      at("192.0.2.2:1"), at("[2001:db8::3]:1")};
  EXPECT_EQ(interleaved(addresses), expected);
}

TEST(Interleaved, KeepsTheFirstFamilyFirstAndEachFamilysOrder) {
  std::vector<SocketAddress> addresses{at("192.0.2.1:1"), at("192.0.2.2:1"), at("[2001:db8::1]:1")};
  std::vector<SocketAddress> expected{at("192.0.2.1:1"), at("[2001:db8::1]:1"), at("192.0.2.2:1")};
  EXPECT_EQ(interleaved(addresses), expected);
  EXPECT_TRUE(interleaved({}).empty());
}

}  // namespace
}  // namespace lockgate::net
