#include "server/listening.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "config/parse.h"
#include "net/tcp.h"

namespace lockgate::server {
namespace {

config::Config bound_to(const std::string& bind) {
  auto parsed = config::parse_text(fmt::format("listeners:\n  - name: front\n    bind: \"{}\"\n    sites:\n"
                                               "      - {{ names: default, reject: {{}} }}\n",
                                               bind),
                                   "test.yaml");
  EXPECT_TRUE(parsed.config) << bind;
  return std::move(*parsed.config);
}

std::uint16_t free_port() {
  auto fd = net::listen(*SocketAddress::parse("127.0.0.1:0"), {});
  return net::local_address(fd->number()).port();
}

TEST(ListeningSockets, NeitherCloseNorOpenWhatStays) {
  ListeningSockets sockets({});
  auto config = bound_to(fmt::format("127.0.0.1:{}", free_port()));
  auto first = sockets.change_to(config, 2);
  ASSERT_TRUE(first) << first.error();
  auto again = sockets.change_to(config, 2);
  ASSERT_TRUE(again) << again.error();
  EXPECT_TRUE(again->gone.empty());
  ASSERT_EQ(again->open.size(), 2u);
  EXPECT_EQ(again->open[0].fd, first->open[0].fd);
  EXPECT_EQ(again->open[1].fd, first->open[1].fd);
}

TEST(ListeningSockets, ChangeToAnAddressThatOverlapsTheOneThatGoes) {
  ListeningSockets sockets({});
  std::uint16_t port = free_port();
  ASSERT_TRUE(sockets.change_to(bound_to(fmt::format("127.0.0.1:{}", port)), 2));
  auto change = sockets.change_to(bound_to(fmt::format("0.0.0.0:{}", port)), 2);
  ASSERT_TRUE(change) << change.error();
  EXPECT_EQ(change->open.size(), 2u);
  EXPECT_EQ(change->gone.size(), 2u);
  sockets.close(change->gone);
}

TEST(ListeningSockets, DoNotShareAPortWithAnotherProcess) {
  auto other = net::listen(*SocketAddress::parse("127.0.0.1:0"), {});
  ListeningSockets sockets({});
  auto change = sockets.change_to(bound_to(net::local_address(other->number()).text()), 2);
  ASSERT_FALSE(change);
  EXPECT_TRUE(change.error().contains("listener front cannot bind")) << change.error();
}

TEST(ListeningSockets, LeaveTheFileOfASocketOfSystemd) {
  std::string path = testing::TempDir() + "lockgate_listening_" + std::to_string(::getpid()) + ".sock";
  auto given = net::listen(SocketAddress::unix_path(path), {});
  ASSERT_TRUE(given);
  ActivatedSockets activated;
  activated["tls"].push_back(std::move(*given));
  ListeningSockets sockets(std::move(activated));
  ASSERT_TRUE(sockets.change_to(bound_to("systemd:tls"), 1));
  auto change = sockets.change_to(bound_to(fmt::format("127.0.0.1:{}", free_port())), 1);
  ASSERT_TRUE(change) << change.error();
  sockets.close(change->gone);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ASSERT_TRUE(sockets.change_to(bound_to("systemd:tls"), 1));
  sockets.close_all();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  ::unlink(path.c_str());
}

TEST(ListeningSockets, RemoveTheFileOfAUnixSocketThatTheyMade) {
  std::string path = testing::TempDir() + "lockgate_listening_own_" + std::to_string(::getpid()) + ".sock";
  ListeningSockets sockets({});
  ASSERT_TRUE(sockets.change_to(bound_to("unix:" + path), 2));
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  sockets.close_all();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace lockgate::server
