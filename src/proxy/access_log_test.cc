#include "proxy/access_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kConfig = R"(
listeners:
  - name: front
    bind: 127.0.0.1:8443
    FORMAT
    sites:
      - { name: app, names: ["*.example.org"], pass: { to: "tcp://192.0.2.1:443" } }
      - { name: no, names: [default], reject: { with: reset } }
)";

// One connection's facts, and the lines that they make.
class Logged {
 public:
  explicit Logged(std::string_view format = "") {
    std::string text(kConfig);
    text.replace(text.find("FORMAT"), 6, format);
    plan = made_plan(text, registry_);
    facts.id = 0x2a;
    facts.dialect = Dialect::tls;
    facts.tls_version = 0x0304;
    facts.peer = facts.client = made_address("192.0.2.9:1234");
    facts.stage = Stage::relaying;
    facts.accepted = house_.clock.now();
    facts.accepted_wall = house_.clock.wall();
    house_.pass(4500ms);
  }
  /// The line of a connection of that site (-1: of none) that has ended like this.
  std::string line(int site, const net::RelayEnd& end = {}, const Endpoint* endpoint = nullptr) {
    journal().lines.clear();
    const ListenerPlan& listener = plan->listeners.front();
    const SitePlan* of = site < 0 ? nullptr : &listener.sites[static_cast<std::size_t>(site)];
    write_access_line(house_.house, {.facts = facts,
                                     .listener = listener,
                                     .site = of,
                                     .plan = *plan,
                                     .endpoint = endpoint,
                                     .bytes_up = 1000,
                                     .bytes_down = 20000,
                                     .end = end});
    EXPECT_LE(journal().lines.size(), 1u);
    return journal().lines.empty() ? "" : journal().lines.front();
  }
  MadeJournal& journal() { return house_.journal; }

  Facts facts;
  std::shared_ptr<const Plan> plan;

 private:
  MadeHouse house_;
  MadeRegistry registry_;
};

// A connection of which everything is known.
void know_everything(Facts& facts) {
  facts.client = made_address("[2001:db8::5]:99");
  facts.name = "app.example.org";
  facts.alpn = "h2,http/1.1";
  facts.ja3 = wire::Ja3{};
  std::string_view("cd08e31494f9531f560d64c695473da9").copy(facts.ja3->characters.data(), 32);
  facts.ja4 = wire::Ja4{};
  std::string_view("t13d1516h2_8daaf6152771_e5627efa2ab1").copy(facts.ja4->characters.data(), 36);
  facts.ech = true;
  facts.pattern = "*.example.org";
  facts.way.address = made_address("192.0.2.1:443");
  facts.way.attempts = 2;
  facts.greeted = facts.accepted + 1500us;
  facts.connected = facts.greeted + 20ms;
}

TEST(AccessLog, TellsEverythingInText) {
  Logged logged;
  know_everything(logged.facts);
  Endpoint endpoint("tcp://192.0.2.1:443");
  EXPECT_EQ(logged.line(0, {.by = Side::upstream}, &endpoint),
            "time=2023-11-14T22:13:20.000Z connection=2a listener=front peer=192.0.2.9:1234 "
            "client=[2001:db8::5]:99 name=app.example.org alpn=h2,http/1.1 "
            "ja3=cd08e31494f9531f560d64c695473da9 ja4=t13d1516h2_8daaf6152771_e5627efa2ab1 tls=1.3 ech=true "
            "site=app verdict=pass "
            "why=\"name *.example.org\" upstream=tcp://192.0.2.1:443 endpoint=tcp://192.0.2.1:443 "
            "address=192.0.2.1:443 attempts=2 hello_ms=1.500 connect_ms=20.000 duration_ms=4500.000 "
            "bytes_up=1000 bytes_down=20000 outcome=finished ended_by=upstream");
  EXPECT_EQ(logged.journal().targets.back(), 7);
  EXPECT_TRUE(logged.journal().told.empty());
}

TEST(AccessLog, TellsEverythingInJson) {
  Logged logged("access_log: { format: json }");
  know_everything(logged.facts);
  Endpoint endpoint("tcp://192.0.2.1:443");
  net::RelayEnd end{.error = Error{.code = Errc::reset, .side = Side::client, .doing = "reading"},
                    .by = Side::client};
  EXPECT_EQ(
      logged.line(0, end, &endpoint),
      R"({"time":"2023-11-14T22:13:20.000Z","connection":"2a","listener":"front",)"
      R"("peer":"192.0.2.9:1234","client":"[2001:db8::5]:99","name":"app.example.org",)"
      R"("alpn":"h2,http/1.1","ja3":"cd08e31494f9531f560d64c695473da9","ja4":"t13d1516h2_8daaf6152771_e5627efa2ab1","tls":"1.3","ech":true,)"
      R"("site":"app","verdict":"pass","why":"name *.example.org","upstream":"tcp://192.0.2.1:443",)"
      R"("endpoint":"tcp://192.0.2.1:443","address":"192.0.2.1:443","attempts":2,"hello_ms":1.500,)"
      R"("connect_ms":20.000,"duration_ms":4500.000,"bytes_up":1000,"bytes_down":20000,)"
      R"("outcome":"reset","ended_by":"client","reason":"reading: reset"})");
}

TEST(AccessLog, WritesAFormOfTheOperatorsForConnectionsToo) {
  Logged logged(
      "access_log: { format: \"$time_common $client_address $tls_name $site $upstream $endpoint $attempts "
      "$bytes_up $bytes_down $duration_ms $outcome '$reason' $status $request_line\" }");
  know_everything(logged.facts);
  Endpoint endpoint("tcp://192.0.2.1:443");
  net::RelayEnd end{.error = Error{.code = Errc::reset, .side = Side::client, .doing = "reading"},
                    .by = Side::client};
  EXPECT_EQ(logged.line(0, end, &endpoint),
            "14/Nov/2023:22:13:20 +0000 2001:db8::5 app.example.org app tcp://192.0.2.1:443 "
            "tcp://192.0.2.1:443 2 1000 20000 4500.000 reset 'reading: reset' - -");
  EXPECT_TRUE(logged.line(-1).contains(" - - - "));
}

TEST(AccessLog, WritesConnectionsAsTextWhereRequestsAreWrittenAsApacheDoes) {
  for (const char* format : {"common", "combined"}) {
    Logged logged(fmt::format("access_log: {{ format: {} }}", format));
    EXPECT_TRUE(logged.line(0).starts_with("time=2023-11-14T22:13:20.000Z connection=2a ")) << format;
  }
}

TEST(AccessLog, LeavesOutWhatIsNotKnown) {
  Logged logged;
  logged.facts.dialect = Dialect::unknown;
  logged.facts.stage = Stage::hello;
  net::RelayEnd end{
      .error = Error{.code = Errc::timed_out, .side = Side::client, .doing = "reading the hello"},
      .by = Side::client};
  EXPECT_EQ(logged.line(-1, end),
            "time=2023-11-14T22:13:20.000Z connection=2a listener=front peer=192.0.2.9:1234 "
            "client=192.0.2.9:1234 verdict=none duration_ms=4500.000 bytes_up=1000 bytes_down=20000 "
            "outcome=timed_out ended_by=client reason=\"reading the hello: timed_out\"");
}

TEST(AccessLog, NamesNoUpstreamForARejection) {
  Logged logged;
  logged.facts.pattern = "default";
  logged.facts.stage = Stage::refusing;
  net::RelayEnd end{.error = Error{.code = Errc::rejected, .doing = "choosing the site"}, .by = Side::here};
  auto line = logged.line(1, end);
  EXPECT_TRUE(line.contains(" site=no verdict=reject why=default duration_ms=")) << line;
  EXPECT_TRUE(line.contains(" outcome=rejected ended_by=here reason=\"choosing the site: rejected\""))
      << line;
  EXPECT_TRUE(logged.journal().told.empty());
}

TEST(AccessLog, NamesTheVersionOrSaysPlain) {
  Logged logged;
  for (auto [version, word] : {std::pair(0x0002, "ssl2"),
                               {0x0300, "ssl3"},
                               {0x0301, "1.0"},
                               {0x0302, "1.1"},
                               {0x0303, "1.2"},
                               {0x0304, "1.3"},
                               {0x7f1c, "unknown"}}) {
    logged.facts.tls_version = static_cast<std::uint16_t>(version);
    EXPECT_TRUE(logged.line(0).contains(std::string(" tls=") + word + " ")) << word;
  }
  for (Dialect plain : {Dialect::http, Dialect::other}) {
    logged.facts.dialect = plain;
    EXPECT_TRUE(logged.line(0).contains(" tls=plain "));
  }
}

TEST(AccessLog, QuotesWhatAClientSays) {
  Logged logged;
  logged.facts.alpn = "h2 outcome=finished\n\"x\"";
  EXPECT_TRUE(logged.line(0).contains(R"( alpn="h2 outcome=finished\u000a\"x\"" )"));
}

TEST(AccessLog, HasRoomForAllTheRestWhateverAClientSays) {
  Logged logged;
  logged.facts.name = std::string(253, 'n');
  logged.facts.alpn = std::string(60'000, 'x');
  auto line = logged.line(0, {.error = Error{.code = Errc::reset, .doing = "reading"}, .by = Side::client});
  EXPECT_LT(line.size(), 4096u);
  EXPECT_TRUE(line.contains(" name=nnn"));
  EXPECT_TRUE(line.contains(" outcome=reset ended_by=client reason=\"reading: reset\" cut=true")) << line;
}

TEST(AccessLog, IsWrittenForTheSiteOrForTheListenerOrNotAtAll) {
  Logged listener_off("access_log: off");
  EXPECT_EQ(listener_off.line(-1), "");
  EXPECT_EQ(listener_off.line(0), "");  // the site starts from its listener
  Logged on;
  EXPECT_NE(on.line(-1), "");
  EXPECT_NE(on.line(0), "");
}

TEST(AccessLog, TellsTheErrorLogOfTheUpstreamsFailuresAndOurOwn) {
  struct Case {
    Stage stage;
    Errc code;
    Side by;
    bool trouble;
  };
  for (auto [stage, code, by, trouble] : {Case{Stage::refusing, Errc::refused, Side::upstream, true},
                                          {Stage::refusing, Errc::no_endpoint, Side::upstream, true},
                                          {Stage::refusing, Errc::limited, Side::here, true},
                                          {Stage::refusing, Errc::rejected, Side::here, false},
                                          {Stage::refusing, Errc::no_site, Side::here, false},
                                          {Stage::refusing, Errc::bad_message, Side::client, false},
                                          {Stage::hello, Errc::closed, Side::client, false},
                                          {Stage::relaying, Errc::reset, Side::upstream, false}}) {
    SCOPED_TRACE(name_of(code));
    Logged logged;
    logged.facts.stage = stage;
    logged.line(0, {.error = Error{.code = code, .side = by, .doing = "testing"}, .by = by});
    EXPECT_EQ(logged.journal().told.size(), trouble ? 1u : 0u);
  }
}

}  // namespace
}  // namespace lockgate::proxy
