#include "guard/access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate::guard {
namespace {

config::Addresses networks(const std::vector<const char*>& texts) {
  config::Addresses addresses;
  for (const char* text : texts) addresses.networks.push_back(Network::parse(text).value());
  return addresses;
}

Ip ip(const char* text) { return Ip::parse(text).value(); }

std::shared_ptr<const ListedNetworks> listed(const char* network) {
  auto set = std::make_shared<const NetworkSet>(std::vector{Network::parse(network).value()});
  return std::make_shared<const ListedNetworks>(ListedNetworks{.parts = {set}});
}

class AccessTest : public testing::Test {
 protected:
  Admission of(const config::Access& config, const char* client) const {
    return Access(config, book_).admission(ip(client), 0);
  }
  AddressBook book_{2};
};

TEST_F(AccessTest, LetsEverybodyInWhereNothingIsSaid) {
  EXPECT_EQ(of({}, "192.0.2.1"), Admission::open);
  EXPECT_TRUE(Access().admits(ip("::1"), 0));
}

TEST_F(AccessTest, RefusesAllButThoseOfAnAllowAlone) {
  config::Access config{.allow = networks({"192.0.2.0/24"}), .deny = {}};
  EXPECT_EQ(of(config, "192.0.2.1"), Admission::allowed);
  EXPECT_EQ(of(config, "198.51.100.1"), Admission::not_allowed);
  EXPECT_FALSE(Access(config, book_).admits(Ip(), 0)) << "nobody's address is allowed";
}

TEST_F(AccessTest, LetsInAllButThoseOfADeny) {
  config::Access config{.allow = {}, .deny = networks({"192.0.2.0/24"})};
  EXPECT_EQ(of(config, "192.0.2.1"), Admission::denied);
  EXPECT_EQ(of(config, "198.51.100.1"), Admission::not_denied);
}

TEST_F(AccessTest, LetsAnAllowOutweighADeny) {
  config::Access config{.allow = networks({"192.0.2.7"}), .deny = networks({"192.0.2.0/24"})};
  EXPECT_EQ(of(config, "192.0.2.7"), Admission::allowed);
  EXPECT_EQ(of(config, "192.0.2.8"), Admission::denied);
  EXPECT_EQ(of(config, "198.51.100.1"), Admission::not_denied);
}

TEST_F(AccessTest, AsksListsAsTheyAreNowAndAsEachWorkerKnowsThem) {
  book_.begin({"bad"});
  config::Access config;
  config.deny.lists = {0};
  Access access(config, book_);
  EXPECT_TRUE(access.admits(ip("192.0.2.1"), 0)) << "a list of which nothing is known holds nobody";
  book_.handle_of(0)->take(0, listed("192.0.2.0/24"));
  EXPECT_FALSE(access.admits(ip("192.0.2.1"), 0));
  EXPECT_TRUE(access.admits(ip("192.0.2.1"), 1));
}

TEST_F(AccessTest, KeepsToAListOfTheSameNameOverReloads) {
  book_.begin({"bad"});
  config::Access config;
  config.deny.lists = {0};
  Access old(config, book_);
  book_.begin({"other", "bad"});
  book_.handle_of(1)->take(0, listed("192.0.2.0/24"));
  EXPECT_FALSE(old.admits(ip("192.0.2.1"), 0));
  book_.begin({});
  EXPECT_FALSE(old.admits(ip("192.0.2.1"), 0)) << "a plan keeps what it uses";
}

TEST_F(AccessTest, KnowsNoCountryWithoutADatabase) {
  config::Access config;
  config.allow.countries = {"DE"};
  EXPECT_EQ(of(config, "192.0.2.1"), Admission::not_allowed);
}

TEST_F(AccessTest, OfSeveralRefusesOnlyWhomAllRefuse) {
  config::Access some{.allow = networks({"192.0.2.0/24"}), .deny = {}};
  config::Access others{.allow = {}, .deny = networks({"198.51.100.0/24", "203.0.113.0/24"})};
  AnyAccess any;
  EXPECT_TRUE(any.admits(ip("198.51.100.1"), 0)) << "of none";
  any.add(some, book_);
  any.add(some, book_);
  EXPECT_FALSE(any.admits(ip("198.51.100.1"), 0));
  any.add(others, book_);
  EXPECT_TRUE(any.admits(ip("192.0.2.1"), 0) && any.admits(ip("10.0.0.1"), 0));
  EXPECT_FALSE(any.admits(ip("198.51.100.1"), 0));
  any.add({}, book_);
  EXPECT_TRUE(any.admits(ip("198.51.100.1"), 0));
}

TEST_F(AccessTest, OfTooManyLeavesTheDecisionToThem) {
  AnyAccess any;
  for (int i = 0; i < 5; ++i)
    any.add({.allow = networks({("10.0." + std::to_string(i) + ".0/24").c_str()}), .deny = {}}, book_);
  EXPECT_TRUE(any.admits(ip("192.0.2.1"), 0));
}

}  // namespace
}  // namespace lockgate::guard
