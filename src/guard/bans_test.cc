#include "guard/bans.h"

#include <gtest/gtest.h>

#include <thread>

namespace lockgate::guard {
namespace {

using namespace std::chrono_literals;

constexpr Duration kRemember = 1h;

Ip ip(std::string_view text) { return *Ip::parse(text); }
Network network(std::string_view text) { return *Network::parse(text); }
/// The `number`th address of 10.0.0.0/8.
Ip address(std::uint32_t number) {
  std::array<std::byte, 4> bytes{std::byte{10}, static_cast<std::byte>(number >> 16),
                                 static_cast<std::byte>(number >> 8), static_cast<std::byte>(number)};
  return Ip::from_bytes(bytes);
}

class BansTest : public testing::Test {
 protected:
  void event(std::string_view who, const config::BanRule& rule) {
    bans_.count(ip(who), rule, 7, kRemember, now_);
  }
  bool holds(std::string_view who) const { return bans_.holds(ip(who), 0, now_); }
  bool ban(std::string_view who, Duration time) {
    bool done = bans_.ban({.who = network(who), .since = now_, .until = now_ + time, .why = "said so"}, now_);
    bans_.take_networks(0, bans_.networks());
    return done;
  }
  std::size_t lift(std::string_view who) {
    std::size_t lifted = bans_.lift(network(who));
    bans_.take_networks(0, bans_.networks());
    return lifted;
  }
  void pass(Duration time) {
    now_ = now_ + time;
    bans_.sweep(kRemember, now_);
  }

  Instant now_{1'000'000'000'000};
  Bans bans_{1, 1000};
  config::BanRule rule_{
      .name = "rule", .count = 3, .within = 10s, .time = 1min, .factor = 3, .longest = 5min};
};

TEST_F(BansTest, AreMadeByTheLastEventThatIsTooMuch) {
  event("192.0.2.1", rule_);
  event("192.0.2.1", rule_);
  event("192.0.2.2", rule_);
  EXPECT_FALSE(holds("192.0.2.1"));
  event("192.0.2.1", rule_);
  EXPECT_TRUE(holds("192.0.2.1"));
  EXPECT_FALSE(holds("192.0.2.2"));
  EXPECT_EQ(bans_.size(), 1u);
  pass(59s);
  EXPECT_TRUE(holds("192.0.2.1"));
  pass(1s);
  EXPECT_FALSE(holds("192.0.2.1"));
  EXPECT_EQ(bans_.size(), 0u);
}

TEST_F(BansTest, CountOnlyWhatIsWithinTheWindow) {
  for (int i = 0; i < 10; ++i) {
    event("192.0.2.1", rule_);
    pass(5s);  // two in each window
  }
  EXPECT_FALSE(holds("192.0.2.1"));
}

// So that what a network has held can be told again, where that counts.
TEST_F(BansTest, OfNetworksAreToldAtTheirEnd) {
  ban("192.0.2.7", 1h);
  ban("192.0.2.0/24", 1min);
  bans_.take_news();
  std::uint64_t before = bans_.changes();
  pass(1min);
  EXPECT_GT(bans_.changes(), before);
  auto news = bans_.take_news();
  ASSERT_EQ(news.lifted.size(), 1u);
  EXPECT_EQ(news.lifted[0], network("192.0.2.0/24"));
  EXPECT_TRUE(holds("192.0.2.7"));
}

TEST_F(BansTest, CountRulesApart) {
  config::BanRule other = rule_;
  other.name = "other";
  for (int i = 0; i < 2; ++i) {
    bans_.count(ip("192.0.2.1"), rule_, 1, kRemember, now_);
    bans_.count(ip("192.0.2.1"), other, 2, kRemember, now_);
  }
  EXPECT_FALSE(holds("192.0.2.1"));
}

TEST_F(BansTest, GrowUpToTheLongestAndAreForgottenInTime) {
  rule_.count = 1;
  for (auto expected : {60s, 180s, 300s, 300s}) {
    event("192.0.2.1", rule_);
    auto listed = bans_.list(1);
    ASSERT_EQ(listed.size(), 1u);
    EXPECT_EQ(listed[0].until - now_, expected);
    pass(expected);
    EXPECT_FALSE(holds("192.0.2.1"));
  }
  pass(kRemember);
  event("192.0.2.1", rule_);
  EXPECT_EQ(bans_.list(1)[0].times, 5u);
  pass(5min + kRemember + 1s);
  event("192.0.2.1", rule_);
  EXPECT_EQ(bans_.list(1)[0].until - now_, 60s);
}

TEST_F(BansTest, AreNoLongerForWhatWasUnderWay) {
  rule_.count = 1;
  for (int i = 0; i < 5; ++i) event("192.0.2.1", rule_);
  EXPECT_EQ(bans_.list(1)[0].times, 1u);
}

TEST_F(BansTest, HoldForAllOfAnIpv6ClientsNetwork) {
  rule_.count = 1;
  event("2001:db8:1:2::1", rule_);
  EXPECT_TRUE(holds("2001:db8:1:2:ffff::9"));
  EXPECT_FALSE(holds("2001:db8:1:3::1"));
  EXPECT_EQ(bans_.list(1)[0].who.text(), "2001:db8:1:2::/64");
  event("::1", rule_);
  EXPECT_TRUE(holds("::1"));
  EXPECT_EQ(lift("::/64"), 1u);
  EXPECT_FALSE(holds("::1"));
}

TEST_F(BansTest, OfNetworksAreMadeByHand) {
  EXPECT_TRUE(ban("192.0.2.0/25", 1min));
  EXPECT_TRUE(ban("2001:db8::/33", 1h));
  EXPECT_TRUE(ban("2001:db9::7/128", 1h));
  EXPECT_TRUE(holds("192.0.2.127"));
  EXPECT_FALSE(holds("192.0.2.128"));
  EXPECT_TRUE(holds("2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8:8000::1"));
  EXPECT_TRUE(holds("2001:db9::7"));
  EXPECT_FALSE(holds("2001:db9::8"));
  pass(1min);
  EXPECT_FALSE(holds("192.0.2.1"));
  EXPECT_EQ(bans_.networks_banned(), 2u);
  EXPECT_EQ(lift("2001:db8::/33"), 1u);
  EXPECT_EQ(lift("2001:db8::/33"), 0u);
  EXPECT_FALSE(holds("2001:db8:7fff::1"));
}

TEST_F(BansTest, OfAllClientsInANetworkAreLiftedAtOnce) {
  rule_.count = 1;
  for (const char* who : {"192.0.2.1", "192.0.2.200", "198.51.100.1"}) event(who, rule_);
  ban("192.0.2.64/26", 1h);
  EXPECT_EQ(lift("192.0.2.0/24"), 3u);
  EXPECT_FALSE(holds("192.0.2.1") || holds("192.0.2.70"));
  EXPECT_TRUE(holds("198.51.100.1"));
  auto news = bans_.take_news();
  EXPECT_EQ(news.banned.size(), 4u);
  EXPECT_EQ(news.lifted.size(), 3u);
}

TEST_F(BansTest, OfSingleAddressesAreLiftedWithTheirClient) {
  ban("2001:db8::1/128", 1h);
  ban("2001:db8::/96", 1h);
  ban("2001:db8:0:1::1/128", 1h);
  EXPECT_EQ(lift("2001:db8::/64"), 2u);
  EXPECT_FALSE(holds("2001:db8::1"));
  EXPECT_TRUE(holds("2001:db8:0:1::1"));
  EXPECT_EQ(bans_.take_news().lifted.size(), 2u);
}

TEST_F(BansTest, AreNewsThatLastUnlessTheyAreLiftedAfterwards) {
  rule_.count = 1;
  auto lasting = [&] {
    std::vector<std::string> names;
    for (const Ban& one : bans_.take_news().lasting()) names.push_back(one.who.text());
    return names;
  };
  ban("192.0.2.1/32", 1h);
  ban("10.0.0.0/8", 1h);
  event("198.51.100.1", rule_);
  lift("192.0.2.0/24");
  lift("10.0.0.0/8");
  EXPECT_EQ(lasting(), std::vector<std::string>{"198.51.100.1/32"});
  lift("198.51.100.1");
  event("198.51.100.1", rule_);
  EXPECT_EQ(lasting(), std::vector<std::string>{"198.51.100.1/32"});
}

TEST_F(BansTest, GiveTheirPlaceToNewOnesTheOneThatEndsFirstBeforeAll) {
  for (std::uint32_t i = 0; i < 1000; ++i)
    bans_.ban({.who = {address(i), 32}, .since = now_, .until = now_ + 1h + Duration(1s) * i, .why = ""},
              now_);
  EXPECT_TRUE(ban("192.0.2.1", 1min));
  EXPECT_FALSE(bans_.holds(address(0), 0, now_));
  EXPECT_TRUE(bans_.holds(address(1), 0, now_) && holds("192.0.2.1"));
  EXPECT_TRUE(ban("192.0.2.2", 1min));
  EXPECT_FALSE(holds("192.0.2.1"));
  EXPECT_EQ(bans_.displaced(), 2u);
  EXPECT_EQ(bans_.size(), 1000u);
}

TEST_F(BansTest, AreListedInPiecesWithoutAGap) {
  ban("192.0.2.0/24", 1h);
  ban("198.51.100.0/24", 1h);
  for (std::uint32_t i = 0; i < 25; ++i)
    bans_.ban(
        {.who = {address(i), 32}, .since = now_, .until = now_ + Duration(1min) * (i / 5 + 1), .why = ""},
        now_);
  std::set<std::string> seen;
  std::vector<Ban> piece = bans_.list(4);
  std::size_t all = 0;
  for (; !piece.empty(); piece = bans_.list(4, &piece.back())) {
    for (const Ban& one : piece) seen.insert(one.who.text());
    all += piece.size();
  }
  EXPECT_EQ(seen.size(), 27u);
  EXPECT_EQ(all, 27u);
}

TEST_F(BansTest, TakeNoMoreThanTheyMayInAFloodOfAMillion) {
  rule_.count = 1;
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    now_ = now_ + 10us;
    bans_.count(address(i), rule_, 7, kRemember, now_);
  }
  EXPECT_EQ(bans_.size(), 1000u);
  EXPECT_EQ(bans_.displaced(), 999'000u);
  EXPECT_TRUE(bans_.holds(address(999'999), 0, now_));
  auto news = bans_.take_news();
  EXPECT_EQ(news.banned.size(), 10'000u);
  EXPECT_GT(news.left_out, 0u);
  pass(2h);
  EXPECT_EQ(bans_.size(), 0u);
  EXPECT_TRUE(bans_.list(1).empty());
}

TEST_F(BansTest, CountOnWhileAFloodOfAMillionIsCounted) {
  for (std::uint32_t i = 0; i < 1'000'000; ++i) bans_.count(address(i), rule_, 7, kRemember, now_);
  EXPECT_EQ(bans_.size(), 0u);
  for (int i = 0; i < 3; ++i) event("192.0.2.1", rule_);
  EXPECT_TRUE(holds("192.0.2.1"));
}

// For ThreadSanitizer, and for who is banned all along while others come and go.
TEST(Bans, AreAskedForWhileTheyChange) {
  Bans bans(2, 500);
  Instant now{1'000'000'000};
  config::BanRule rule{.name = "rule", .time = 1s, .factor = 1};
  Ip always = ip("192.0.2.1"), never = ip("192.0.2.2");
  bans.ban({.who = {always, 32}, .since = now, .until = kNever, .why = ""}, now);
  std::atomic<bool> over = false, wrong = false;
  auto look = [&](std::size_t worker) {
    for (std::uint32_t i = 0; !over; ++i) {
      if (!bans.holds(always, worker, now) || bans.holds(never, worker, now)) wrong = true;
      if (worker == 1) bans.count(address(i % 2000), rule, 7, 1s, now);
    }
  };
  std::thread one(look, 0), two(look, 1);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    bans.count(address(i % 3000), rule, 7, 1s, now + Duration(i * 1000));
    if (i % 100 == 0) bans.sweep(0s, now);
    if (i % 50 == 0) bans.lift({address(i % 3000), 32});
    if (i % 1000 == 0) bans.list(100);
  }
  over = true;
  one.join();
  two.join();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace lockgate::guard
