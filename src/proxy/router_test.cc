// Plans and the router that reads them.
#include "proxy/router.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

constexpr std::string_view kListener = "listeners:\n  - bind: 127.0.0.1:8443\n    sites:\n";

// Asks the first listener of a configuration whose sites are given, one per line.
class Routing {
 public:
  explicit Routing(std::initializer_list<std::string_view> sites) {
    std::string text(kListener);
    for (auto site : sites) text.append("      - ").append(site).append("\n");
    plan_ = made_plan(text, registry_);
  }

  const ListenerPlan& listener() const { return plan_->listeners.front(); }
  Answer answer(const Question& question) const { return route(listener(), question); }
  /// "site: pattern", or "none".
  std::string ask(const Question& question) const {
    Answer given = answer(question);
    return given.site ? given.site->site->name + ": " + std::string(given.pattern) : "none";
  }
  std::string tls(std::string_view name) const { return ask({.name = name}); }
  std::string plain(std::string_view host) const { return ask({.tls = false, .name = host}); }

 private:
  MadeRegistry registry_;
  std::shared_ptr<const Plan> plan_;
};

constexpr std::string_view kTo = "pass: { to: \"tcp://192.0.2.1:443\" }";
std::string pass(std::string_view rest) { return "{ " + std::string(rest) + ", " + std::string(kTo) + " }"; }
std::string plain_site(std::string_view rest) {
  return "{ " + std::string(rest) + ", plain: { to: \"tcp://192.0.2.1:80\" } }";
}
std::string reject(std::string_view rest) { return "{ " + std::string(rest) + ", reject: { with: reset } }"; }

TEST(Router, FindsSitesByRegularExpressionForTlsAndForHosts) {
  Routing routing{pass("names: ['~^app[0-9]+[.]example[.]com$']"), pass("names: [default]"),
                  plain_site("names: ['~^app[0-9]+[.]example[.]com$']")};
  EXPECT_EQ(routing.tls("app7.example.com"), "~^app[0-9]+[.]example[.]com$: ~^app[0-9]+[.]example[.]com$");
  EXPECT_EQ(routing.tls("app.example.com"), "default: default");
  EXPECT_TRUE(routing.plain("app7.example.com").contains("~^app"));
  EXPECT_EQ(routing.plain("app.example.com"), "none");
}

TEST(Router, PrefersTheExactNameThenTheLongestWildcardThenTheDefault) {
  Routing routing({pass("name: any, names: [default]"), pass("name: wide, names: ['*.example.org']"),
                   pass("name: narrow, names: ['*.b.example.org']"),
                   pass("name: exact, names: [a.b.example.org]")});
  EXPECT_EQ(routing.tls("a.b.example.org"), "exact: a.b.example.org");
  EXPECT_EQ(routing.tls("x.b.example.org"), "narrow: *.b.example.org");
  EXPECT_EQ(routing.tls("x.y.b.example.org"), "narrow: *.b.example.org");
  EXPECT_EQ(routing.tls("b.example.org"), "wide: *.example.org");
  EXPECT_EQ(routing.tls("example.org"), "any: default");
  EXPECT_EQ(routing.tls("org"), "any: default");
  EXPECT_EQ(routing.tls(""), "any: default");
}

TEST(Router, TakesNobodyWithoutAPatternForIt) {
  Routing routing({pass("names: [a.example.org, '*.wild.example.org']")});
  EXPECT_EQ(routing.tls("a.example.org"), "a.example.org: a.example.org");
  EXPECT_EQ(routing.tls("x.wild.example.org"), "a.example.org: *.wild.example.org");
  EXPECT_EQ(routing.tls("wild.example.org"), "none");
  EXPECT_EQ(routing.tls("xa.example.org"), "none");
  EXPECT_EQ(routing.tls(""), "none");
}

TEST(Router, TakesTheFirstInTheFileAmongSitesOfOneName) {
  Routing routing({pass("name: acme, names: [a.example.org], match: { alpn: [acme-tls/1] }"),
                   pass("name: inside, names: [a.example.org], match: { clients: [10.0.0.0/8] }"),
                   pass("name: rest, names: [a.example.org]")});
  std::vector<std::string> acme = {"h2", "acme-tls/1"};
  Ip inside = *Ip::parse("10.1.2.3"), outside = *Ip::parse("192.0.2.3");
  EXPECT_EQ(routing.ask({.name = "a.example.org", .alpn = acme, .client = inside}), "acme: a.example.org");
  EXPECT_EQ(routing.ask({.name = "a.example.org", .client = inside}), "inside: a.example.org");
  EXPECT_EQ(routing.ask({.name = "a.example.org", .client = outside}), "rest: a.example.org");
}

TEST(Router, GoesOnToALessSpecificNameIfNoMatchHolds) {
  Routing routing({pass("name: exact, names: [a.example.org], match: { alpn: [h3] }"),
                   pass("name: wild, names: ['*.example.org'], match: { clients: [10.0.0.0/8] }"),
                   pass("name: any, names: [default]")});
  EXPECT_EQ(routing.ask({.name = "a.example.org", .client = *Ip::parse("10.0.0.1")}), "wild: *.example.org");
  EXPECT_EQ(routing.ask({.name = "a.example.org", .client = *Ip::parse("192.0.2.1")}), "any: default");
}

TEST(Router, WantsAllConditionsOfAMatchAndAnyValueOfEach) {
  Routing routing(
      {pass("name: it, names: [default], "
            "match: { alpn: [h2, http/1.1], clients: [10.0.0.0/8, '2001:db8::/32'] }")});
  std::vector<std::string> good = {"http/1.1"}, bad = {"h3", "h"};
  Ip inside = *Ip::parse("2001:db8::1"), outside = *Ip::parse("192.0.2.1");
  EXPECT_EQ(routing.ask({.alpn = good, .client = inside}), "it: default");
  EXPECT_EQ(routing.ask({.alpn = bad, .client = inside}), "none");
  EXPECT_EQ(routing.ask({.alpn = good, .client = outside}), "none");
  EXPECT_EQ(routing.ask({.alpn = good}), "none");  // a Unix socket's peer has no address
}

TEST(Router, AsksForTheFingerprintOnlyIfARuleWantsIt) {
  constexpr std::string_view kJa4 = "t13d1516h2_8daaf6152771_e5627efa2ab1";
  Routing routing({pass("name: known, names: [a.example.org], "
                        "match: { clients: [10.0.0.0/8], ja4: [t13d1516h2_8daaf6152771_e5627efa2ab1] }"),
                   pass("name: any, names: [default]")});
  int asked = 0;
  std::string_view fingerprint = kJa4;
  Question question{.name = "b.example.org", .client = *Ip::parse("10.0.0.1"), .ja4 = [&] {
                      ++asked;
                      return fingerprint;
                    }};
  EXPECT_EQ(routing.ask(question), "any: default");
  question.name = "a.example.org";
  question.client = *Ip::parse("192.0.2.1");
  EXPECT_EQ(routing.ask(question), "any: default");
  EXPECT_EQ(asked, 0);
  question.client = *Ip::parse("10.0.0.1");
  EXPECT_EQ(routing.ask(question), "known: a.example.org");
  fingerprint = "t12d1516h2_8daaf6152771_e5627efa2ab1";
  EXPECT_EQ(routing.ask(question), "any: default");
  EXPECT_EQ(asked, 2);
}

TEST(Router, MatchesEitherFingerprintAndBothWhereBothAreGiven) {
  constexpr std::string_view kJa3 = "cd08e31494f9531f560d64c695473da9";
  constexpr std::string_view kJa4 = "t13d1516h2_8daaf6152771_e5627efa2ab1";
  Routing routing({pass("name: both, names: [default], match: { ja3: [cd08e31494f9531f560d64c695473da9], "
                        "ja4: [t13d1516h2_8daaf6152771_e5627efa2ab1] }"),
                   pass("name: ja3, names: [default], match: { ja3: [cd08e31494f9531f560d64c695473da9] }"),
                   pass("name: any, names: [default]")});
  std::string_view ja3 = kJa3, ja4 = kJa4;
  Question question{.ja3 = [&] { return ja3; }, .ja4 = [&] { return ja4; }};
  EXPECT_EQ(routing.ask(question), "both: default");
  ja4 = "t12d1516h2_8daaf6152771_e5627efa2ab1";
  EXPECT_EQ(routing.ask(question), "ja3: default");
  ja3 = "00000000000000000000000000000000";
  EXPECT_EQ(routing.ask(question), "any: default");
}

TEST(Router, TakesTheOneSiteWhereNobodyPeeksIfItsMatchHolds) {
  MadeRegistry registry;
  auto plan = made_plan(
      "listeners: [{ bind: 127.0.0.1:1143, peek: off, sites: [{ names: [default], "
      "match: { clients: [10.0.0.0/8] }, pass: { to: 'tcp://192.0.2.1:143' } }] }]\n",
      registry);
  const ListenerPlan& listener = plan->listeners.front();
  EXPECT_TRUE(route(listener, {.tls = false, .client = *Ip::parse("10.0.0.1")}).site);
  EXPECT_FALSE(route(listener, {.tls = false, .client = *Ip::parse("192.0.2.1")}).site);
}

TEST(Plan, GivesTlsToPassSitesAndTheRestToPlainOnes) {
  Routing routing({pass("name: tls, names: [default]"), plain_site("name: plain, names: [default]")});
  EXPECT_EQ(routing.tls("a.example.org"), "tls: default");
  EXPECT_EQ(routing.plain("a.example.org"), "plain: default");
  EXPECT_FALSE(routing.listener().plain_by_name);
}

TEST(Plan, ReadsTheHostOnlyIfAPlainSiteHasAName) {
  EXPECT_TRUE(Routing({plain_site("names: [a.example.org]")}).listener().plain_by_name);
  EXPECT_TRUE(Routing({plain_site("names: ['*.example.org']")}).listener().plain_by_name);
  EXPECT_FALSE(Routing({pass("names: [a.example.org]")}).listener().plain_by_name);
}

TEST(Plan, RejectsTlsAloneUnlessTheRuleIsAboutClients) {
  Routing routing({reject("name: no, names: [default]"), plain_site("name: plain, names: [default]")});
  EXPECT_EQ(routing.tls("a.example.org"), "no: default");
  EXPECT_EQ(routing.plain("a.example.org"), "plain: default");

  Routing banning({reject("name: banned, names: [default], match: { clients: [10.0.0.0/8] }"),
                   pass("name: tls, names: [default]"), plain_site("name: plain, names: [default]")});
  Ip banned = *Ip::parse("10.0.0.1"), other = *Ip::parse("192.0.2.1");
  EXPECT_EQ(banning.ask({.client = banned}), "banned: default");
  EXPECT_EQ(banning.ask({.tls = false, .client = banned}), "banned: default");
  EXPECT_EQ(banning.ask({.client = other}), "tls: default");
  EXPECT_EQ(banning.ask({.tls = false, .client = other}), "plain: default");
}

TEST(Plan, NeverTakesPlainForARuleAboutFingerprints) {
  Routing routing({reject("name: no, names: [default], "
                          "match: { clients: [0.0.0.0/0], ja4: [t13d1516h2_8daaf6152771_e5627efa2ab1] }"),
                   plain_site("name: plain, names: [default]")});
  EXPECT_EQ(routing.ask({.tls = false, .client = *Ip::parse("192.0.2.1")}), "plain: default");
}

TEST(Plan, FindsListenersGatesTalliesAndLogsByTheirNames) {
  MadeRegistry registry;
  auto plan = made_plan(
      "limits: { connections: 50 }\n"
      "listeners:\n"
      "  - { name: one, bind: 127.0.0.1:1443, access_log: off, sites: [{ names: [default], pass: { to: "
      "'tcp://192.0.2.1:443', send_proxy_protocol: v2 } }] }\n"
      "  - { name: two, bind: 127.0.0.1:2443, limits: { connections: 5 }, sites: [{ name: s, names: "
      "[default], "
      "limits: { connections: 3 }, pass: { to: 'tcp://192.0.2.1:443' } }] }\n",
      registry);
  ASSERT_TRUE(plan->listener("one"));
  ASSERT_TRUE(plan->listener("two"));
  EXPECT_FALSE(plan->listener("three"));
  const ListenerPlan &one = *plan->listener("one"), &two = *plan->listener("two");
  EXPECT_TRUE(one.tells_destination);
  EXPECT_FALSE(two.tells_destination);
  EXPECT_EQ(one.access_log, 0xffff);
  EXPECT_EQ(two.access_log, 7);
  EXPECT_FALSE(one.gate);
  EXPECT_EQ(two.gate->limit(), 5u);
  EXPECT_EQ(two.sites[0].gate->limit(), 3u);
  EXPECT_EQ(plan->gate->limit(), 50u);
  EXPECT_EQ(two.sites[0].tally->site(), "s");
  EXPECT_EQ(two.sites[0].tally->verdict(), "pass");
  EXPECT_EQ(two.nobody->verdict(), "none");
  EXPECT_EQ(plan->upstreams.size(), 1u);  // the same one, given in place twice
}

TEST(OwnAddresses, HoldWhereThisProcessListens) {
  OwnAddresses own({made_address("192.0.2.1:443"), made_address("unix:/run/x.sock")}, {});
  EXPECT_TRUE(own.contains(made_address("192.0.2.1:443")));
  EXPECT_TRUE(own.contains(made_address("[::ffff:192.0.2.1]:443")));
  EXPECT_TRUE(own.contains(made_address("unix:/run/x.sock")));
  EXPECT_FALSE(own.contains(made_address("192.0.2.1:444")));
  EXPECT_FALSE(own.contains(made_address("192.0.2.2:443")));
  EXPECT_FALSE(own.contains(made_address("127.0.0.1:443")));
  EXPECT_FALSE(own.contains(made_address("unix:/run/y.sock")));
  EXPECT_FALSE(OwnAddresses().contains(made_address("192.0.2.1:443")));
}

TEST(OwnAddresses, HoldAllOfTheMachineForAListenerOnAllOfThem) {
  std::vector<Ip> local = {*Ip::parse("192.0.2.1"), *Ip::parse("2001:db8::1")};
  OwnAddresses own({made_address("[::]:443")}, local);
  for (auto ours : {"192.0.2.1:443", "[2001:db8::1]:443", "127.0.0.1:443", "127.1.2.3:443", "[::1]:443",
                    "0.0.0.0:443", "[::]:443"}) {
    EXPECT_TRUE(own.contains(made_address(ours))) << ours;
  }
  for (auto others : {"192.0.2.1:444", "192.0.2.2:443", "[2001:db8::2]:443"}) {
    EXPECT_FALSE(own.contains(made_address(others))) << others;
  }
}

TEST(OwnAddresses, HoldNoIpv6ForAListenerOnIpv4Alone) {
  OwnAddresses own({made_address("0.0.0.0:443")}, {*Ip::parse("2001:db8::1")});
  EXPECT_TRUE(own.contains(made_address("127.0.0.1:443")));
  EXPECT_FALSE(own.contains(made_address("[::1]:443")));
  EXPECT_FALSE(own.contains(made_address("[2001:db8::1]:443")));
}

}  // namespace
}  // namespace lockgate::proxy
