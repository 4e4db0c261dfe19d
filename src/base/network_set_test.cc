#include "base/network_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace lockgate {
namespace {

NetworkSet set_of(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const std::string& text : texts) networks.push_back(Network::parse(text).value());
  return NetworkSet(networks);
}

bool contains(const NetworkSet& set, const char* ip) { return set.contains(Ip::parse(ip).value()); }

TEST(NetworkSet, HoldsWhatItsNetworksHoldAndNothingBesideThem) {
  NetworkSet set = set_of({"192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "2001:db9::1", "10.0.0.0/31"});
  for (const char* ip : {"192.0.2.0", "192.0.2.255", "198.51.100.7", "2001:db8::", "2001:db8:ffff::1",
                         "2001:db9::1", "10.0.0.0", "10.0.0.1"})
    EXPECT_TRUE(contains(set, ip)) << ip;
  for (const char* ip : {"192.0.1.255", "192.0.3.0", "198.51.100.6", "198.51.100.8",
                         "2001:db7:ffff::", "2001:db9::", "2001:db9::2", "10.0.0.2", "::c000:200"})
    EXPECT_FALSE(contains(set, ip)) << ip;
}

TEST(NetworkSet, HoldsNothingWhenItIsMadeOfNothing) {
  EXPECT_FALSE(contains(NetworkSet(), "192.0.2.1"));
  EXPECT_FALSE(contains(set_of({}), "::"));
  EXPECT_FALSE(set_of({"0.0.0.0/0", "::/0"}).contains(Ip()));
}

TEST(NetworkSet, ReachesTheFirstAndTheLastAddressOfAll) {
  NetworkSet all = set_of({"0.0.0.0/0", "::/0"});
  for (const char* ip : {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    EXPECT_TRUE(contains(all, ip)) << ip;
  NetworkSet ends = set_of({"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"});
  EXPECT_TRUE(contains(ends, "255.255.255.255") && contains(ends, "0.0.0.0"));
  EXPECT_FALSE(contains(ends, "255.255.255.254") || contains(ends, "0.0.0.1"));
  EXPECT_TRUE(contains(ends, "::") && contains(ends, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_FALSE(contains(ends, "::1") || contains(ends, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
}

TEST(NetworkSet, TakesAMappedAddressForTheOneOfIPv4AndLooksPastAScope) {
  EXPECT_TRUE(contains(set_of({"192.0.2.0/24"}), "::ffff:192.0.2.9"));
  EXPECT_FALSE(contains(set_of({"::/0"}), "::ffff:192.0.2.9"));
  EXPECT_TRUE(contains(set_of({"fe80::/10"}), "fe80::1%1"));
}

// Addresses of few bits beneath one prefix, so that networks overlap, touch and nest in every way.
class Crowd {
 public:
  explicit Crowd(unsigned seed) : random_(seed) {}

  Ip ip(bool v4) {
    std::array<std::byte, 16> room{};
    room[0] = std::byte{0x20};
    for (std::size_t i :
         {std::size_t{1}, v4 ? std::size_t{3} : std::size_t{7}, v4 ? std::size_t{3} : std::size_t{15}})
      room.at(i) = static_cast<std::byte>(random_() % (i == 1 ? 2 : 256));
    return Ip::from_bytes(Bytes(room).first(v4 ? 4 : 16));
  }
  Network network(bool v4) {
    int bits = v4 ? 32 : 128;
    int prefix = bits - static_cast<int>(random_() % static_cast<unsigned>(v4 ? 12 : 76));
    Ip whole = ip(v4);
    Wide rest = prefix == bits ? 0 : (Wide{1} << (bits - prefix)) - 1;
    return {ip_of(number_of(whole) & ~rest, whole), prefix};
  }
  unsigned number() { return static_cast<unsigned>(random_()); }

 private:
  std::mt19937 random_;
};

TEST(NetworkSet, AgreesWithLookingThroughAllNetworksOneByOne) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Crowd crowd(seed);
    std::vector<Network> networks;
    unsigned size = crowd.number() % 200;
    for (unsigned i = 0; i < size; ++i) networks.push_back(crowd.network(crowd.number() % 2 == 0));
    NetworkSet set(networks);
    auto check = [&](const Ip& ip) {
      bool expected = std::ranges::any_of(networks, [&](const Network& one) { return one.contains(ip); });
      ASSERT_EQ(set.contains(ip), expected) << ip.text() << " with seed " << seed;
    };
    for (int i = 0; i < 300; ++i) check(crowd.ip(i % 2 == 0));
    for (const Network& network : networks) {
      Wide first = number_of(network.ip());
      int rest = bits_of(network.ip()) - network.prefix();
      Wide last = first + ((Wide{1} << rest) - 1);
      for (Wide number : {first - 1, first, last, last + 1}) check(ip_of(number, network.ip()));
    }
  }
}

TEST(NetworkSet, KeepsAMillionMixedNetworksIn32MiB) {
  std::mt19937 random(1);
  std::vector<Network> networks;
  for (int i = 0; i < 1'000'000; ++i) {
    bool v4 = i % 2 == 0;
    Wide number = random();
    int prefix = v4 ? 24 + static_cast<int>(random() % 9) : 32 + static_cast<int>(random() % 33);
    if (!v4) number = number << 96 | Wide{random()} << 64;
    int rest = (v4 ? 32 : 128) - prefix;
    number = number >> rest << rest;
    networks.emplace_back(ip_of(number, Ip::parse(v4 ? "0.0.0.0" : "::").value()), prefix);
  }
  NetworkSet set(networks);
  EXPECT_LE(set.bytes(), 32U << 20);
  EXPECT_TRUE(std::ranges::all_of(networks, [&](const Network& one) { return set.contains(one.ip()); }));
}

}  // namespace
}  // namespace lockgate
