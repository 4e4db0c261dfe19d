#include "base/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

namespace lockgate {
namespace {

Ip ip(std::string_view text) {
  auto parsed = Ip::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Ip());
}
std::string again(std::string_view text) {
  auto parsed = Ip::parse(text);
  return parsed ? parsed->text() : "none";
}
std::string network(std::string_view text) {
  auto parsed = Network::parse(text);
  return parsed ? parsed->text() : "none";
}
bool contains(std::string_view whole, std::string_view one) {
  return Network::parse(whole)->contains(ip(one));
}
std::string socket_address(std::string_view text) {
  auto parsed = SocketAddress::parse(text);
  return parsed ? parsed->text() : "none";
}

TEST(Ip, IsReadFromItsTextAndWrittenShortest) {
  EXPECT_EQ(again("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(again("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(again("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(again("::"), "::");
}

TEST(Ip, IsNotReadFromWhatOnlyLooksLikeOne) {
  for (std::string_view text : {"",
                                "1",
                                "1.2.3",
                                "1.2.3.4.5",
                                "256.1.1.1",
                                "1.2.3.4 ",
                                " 1.2.3.4",
                                "0x7f.1",
                                "01.2.3.4",
                                ":",
                                ":::",
                                "1::2::3",
                                "g::",
                                "[::1",
                                "::1]",
                                "[]",
                                "%1",
                                "::1%",
                                "::1%no_such_interface",
                                "::1%99999999999",
                                "example.com",
                                "1.2.3.4%0",
                                "1.2.3.4%1",
                                "::1%-1"}) {
    EXPECT_EQ(again(text), "none") << text;
  }
  EXPECT_EQ(again(std::string_view("1.2.3.4\0", 8)), "none");
  EXPECT_EQ(again(std::string(1000, '1')), "none");
}

TEST(Ip, IsOneValueWhetherMappedOrNot) {
  EXPECT_EQ(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
  EXPECT_TRUE(ip("::ffff:192.0.2.1").is_v4());
  EXPECT_TRUE(ip("::192.0.2.1").is_v6());
  EXPECT_EQ(Ip::from_bytes(ip("192.0.2.1").mapped()), ip("192.0.2.1"));
  EXPECT_EQ(Ip::from_bytes(ip("2001:db8::1").mapped()), ip("2001:db8::1"));
}

TEST(Ip, HasItsBytesInNetworkOrder) {
  Ip four = ip("192.0.2.1");
  ASSERT_EQ(four.bytes().size(), 4u);
  EXPECT_EQ(four.bytes()[0], std::byte{192});
  EXPECT_EQ(ip("::1").bytes().size(), 16u);
  EXPECT_TRUE(Ip().bytes().empty());
  EXPECT_TRUE(Ip::from_bytes(as_bytes("12345")).is_none());
}

TEST(Ip, KeepsTheZoneOfIpv6) {
  EXPECT_EQ(ip("fe80::1%7").scope(), 7u);
  EXPECT_EQ(again("fe80::1%7"), "fe80::1%7");
  EXPECT_NE(ip("fe80::1%7"), ip("fe80::1%8"));
  EXPECT_GT(ip("fe80::1%lo").scope(), 0u);
  EXPECT_EQ(ip("fe80::1%0"), ip("fe80::1"));
}

TEST(Ip, KnowsTheSpecialOnes) {
  EXPECT_TRUE(ip("127.8.9.1").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_TRUE(ip("::ffff:127.0.0.1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
  EXPECT_FALSE(ip("1::1").is_loopback());
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
  EXPECT_FALSE(Ip().is_unspecified());
  EXPECT_FALSE(Ip().is_loopback());
}

TEST(Network, IsReadInCidrForm) {
  EXPECT_EQ(network("192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(network("192.0.2.7"), "192.0.2.7/32");
  EXPECT_EQ(network("2001:db8::/33"), "2001:db8::/33");
  EXPECT_EQ(network("::1"), "::1/128");
  EXPECT_EQ(network("0.0.0.0/0"), "0.0.0.0/0");
}

TEST(Network, RefusesBitsBehindThePrefixAndBadPrefixes) {
  for (std::string_view text : {"192.0.2.1/24", "192.0.2.128/24", "0.0.0.1/0", "2001:db9::/31", "::1/127",
                                "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1", "0.0.0.0/-0",
                                "192.0.2.0/+24", "192.0.2.0/24 ", "192.0.2.0/24/24", "/24", ""}) {
    EXPECT_EQ(network(text), "none") << text;
  }
}

TEST(Network, ContainsWhatSharesItsPrefix) {
  EXPECT_TRUE(contains("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(contains("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(contains("10.0.0.0/9", "10.127.255.255"));
  EXPECT_FALSE(contains("10.0.0.0/9", "10.128.0.0"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, ContainsItsOwnFamilyOnly) {
  EXPECT_TRUE(contains("0.0.0.0/0", "::ffff:192.0.2.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(contains("::/0", "192.0.2.1"));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(Ip()));
  EXPECT_FALSE(Network().contains(Ip()));
}

TEST(SocketAddress, IsReadAndWrittenAlike) {
  for (std::string_view text :
       {"192.0.2.1:443", "[2001:db8::1]:443", "[fe80::1%7]:1", "unix:/run/x.sock", "0.0.0.0:0"}) {
    EXPECT_EQ(socket_address(text), text);
  }
  EXPECT_EQ(SocketAddress().text(), "-");
}

TEST(SocketAddress, RefusesWhatIsAmbiguousOrNoAddress) {
  for (std::string_view text :
       {"", ":443", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-0", "[192.0.2.1]:443",
        "2001:db8::1:443", "[::1]", "localhost:80", "unix:", "192.0.2.1:4 "}) {
    EXPECT_EQ(socket_address(text), "none") << text;
  }
}

TEST(SocketAddress, RefusesAUnixPathThatTheKernelCannotTake) {
  std::string longest(sizeof(sockaddr_un{}.sun_path) - 1, 'x');
  EXPECT_TRUE(SocketAddress::parse("unix:" + longest));
  EXPECT_FALSE(SocketAddress::parse("unix:" + longest + "x"));
  sockaddr_storage room;
  EXPECT_GT(SocketAddress::unix_path(longest).to_system(room), 0u);
  EXPECT_EQ(SocketAddress::unix_path(longest + "x").to_system(room), 0u);
}

TEST(SocketAddress, GoesToTheKernelAndBack) {
  for (std::string_view text : {"192.0.2.1:443", "[2001:db8::1]:443", "[fe80::1%7]:1", "unix:/run/x.sock"}) {
    auto address = *SocketAddress::parse(text);
    sockaddr_storage room;
    socklen_t size = address.to_system(room);
    EXPECT_EQ(room.ss_family, address.family());
    EXPECT_EQ(SocketAddress::from_system(reinterpret_cast<sockaddr*>(&room), size), address);
  }
}

TEST(SocketAddress, SeesAMappedPeerAsIpv4) {
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(443);
  inet_pton(AF_INET6, "::ffff:192.0.2.1", &in.sin6_addr);
  EXPECT_EQ(SocketAddress::from_system(reinterpret_cast<sockaddr*>(&in), sizeof in).text(), "192.0.2.1:443");
}

TEST(SocketAddress, HasAWordForUnixSocketsWithoutAPath) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  auto address =
      SocketAddress::from_system(reinterpret_cast<sockaddr*>(&un), offsetof(sockaddr_un, sun_path));
  EXPECT_TRUE(address.is_unix());
  EXPECT_EQ(address.path(), SocketAddress::kUnnamed);
}

TEST(SocketAddress, IsNoneFromWhatTheKernelCutShort) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  EXPECT_TRUE(SocketAddress::from_system(reinterpret_cast<sockaddr*>(&in), 4).is_none());
}

}  // namespace
}  // namespace lockgate
