#include "guard/ban_rules.h"

#include <gtest/gtest.h>

namespace lockgate::guard {
namespace {

using namespace std::chrono_literals;

Ip ip(std::string_view text) { return *Ip::parse(text); }

class BanRulesTest : public testing::Test {
 protected:
  BanRulesTest() {
    config_.bans.except = {*Network::parse("10.0.0.0/8")};
    config_.bans.rules = {
        {.name = "sign-in", .on = Event::failed_sign_in},
        {.name = "storm", .on = Event::status, .statuses = {{404, 404}, {500, 599}}, .count = 2},
        {.name = "scanners", .on = Event::trap},
        {.name = "other", .on = Event::trap}};
    config::Listener listener;
    listener.accept_proxy_protocol = {.from = {*Network::parse("192.0.2.1")},
                                      .optional_from = {*Network::parse("192.0.2.2")}};
    listener.trusted_proxies.from = {*Network::parse("192.0.2.3")};
    config_.listeners.push_back(listener);
    rules_ = BanRules(config_, bans_);
  }
  bool bars(std::string_view who) const { return rules_.bars(ip(who), 0, now_); }

  config::Config config_;
  Bans bans_{1, 100};
  Instant now_{1'000'000'000};
  BanRules rules_;
};

TEST_F(BanRulesTest, CountWhatTheyAreFor) {
  rules_.note(Event::unknown_name, ip("198.51.100.1"), now_);
  EXPECT_FALSE(bars("198.51.100.1"));
  rules_.note(Event::failed_sign_in, ip("198.51.100.1"), now_);
  EXPECT_TRUE(bars("198.51.100.1"));
  for (int status : {200, 404, 304, 0, 1000}) rules_.note_status(status, ip("198.51.100.2"), now_);
  EXPECT_FALSE(bars("198.51.100.2"));
  rules_.note_status(503, ip("198.51.100.2"), now_);
  EXPECT_TRUE(bars("198.51.100.2"));
  rules_.note_trap("storm", ip("198.51.100.3"), now_);
  EXPECT_FALSE(bars("198.51.100.3"));
  rules_.note_trap("scanners", ip("198.51.100.3"), now_);
  EXPECT_TRUE(bars("198.51.100.3"));
  EXPECT_EQ(bans_.totals(),
            (std::map<std::string, std::uint64_t>{{"scanners", 1}, {"sign-in", 1}, {"storm", 1}}));
}

TEST_F(BanRulesTest, NeverBanWhoIsExceptedNorAnyProxyInFront) {
  for (const char* who : {"10.1.2.3", "192.0.2.1", "192.0.2.3"}) {
    rules_.note(Event::failed_sign_in, ip(who), now_);
    EXPECT_FALSE(bars(who)) << who;
  }
  EXPECT_EQ(bans_.size(), 0u);
}

TEST_F(BanRulesTest, BanWhoNeedNotSendAHeaderUnlessTheKernelIsTold) {
  config_.bans.nftables.table = "filter";
  BanRules told(config_, bans_);
  told.note(Event::failed_sign_in, ip("192.0.2.2"), now_);
  EXPECT_FALSE(bars("192.0.2.2"));
  rules_.note(Event::failed_sign_in, ip("192.0.2.2"), now_);
  EXPECT_TRUE(bars("192.0.2.2"));
  EXPECT_TRUE(told.is_excepted(ip("192.0.2.2")));
}

TEST_F(BanRulesTest, LetInWhoIsExceptedWhateverWasBannedAroundIt) {
  bans_.ban({.who = *Network::parse("0.0.0.0/0"), .since = now_, .until = kNever, .why = ""}, now_);
  bans_.take_networks(0, bans_.networks());
  EXPECT_TRUE(bars("198.51.100.1"));
  EXPECT_FALSE(bars("10.0.0.1"));
  EXPECT_FALSE(rules_.is_excepted(*Network::parse("0.0.0.0/0")));
  EXPECT_TRUE(rules_.is_excepted(*Network::parse("10.1.0.0/16")));
  EXPECT_FALSE(rules_.is_excepted(*Network::parse("11.0.0.0/8")));
}

TEST_F(BanRulesTest, OfNoConfigurationBarNobody) {
  BanRules none;
  none.note(Event::trap, ip("192.0.2.9"), now_);
  EXPECT_FALSE(none.bars(ip("192.0.2.9"), 0, now_));
}

}  // namespace
}  // namespace lockgate::guard
