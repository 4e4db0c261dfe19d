#include "proxy/request_log.h"

#include <gtest/gtest.h>

#include "base/line_builder.h"
#include "config/template.h"
#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kConfig = R"(
listeners:
  - name: front
    bind: 127.0.0.1:8080
    access_log: { format: FORMAT }
    sites:
      - names: [app.example.org]
        plain:
          routes:
            - { name: app, path: /app, to: "http://192.0.2.1:80" }
            - { name: old, path: /old, redirect: https }
)";

// One request that the first route took, and the line that it makes.
class Logged {
 public:
  explicit Logged(std::string_view format = "text") {
    std::string text(kConfig);
    text.replace(text.find("FORMAT"), 6, format);
    plan = made_plan(text, registry);
    const ListenerPlan& listener = plan->listeners.front();
    connection.id = 0x2a;
    connection.dialect = Dialect::http;
    connection.peer = connection.client = made_address("192.0.2.9:1234");
    connection.name = "app.example.org";
    facts.emplace(connection, listener);
    facts->site = &listener.sites.front();
    facts->route = &facts->site->routes.routes().front();
    facts->method = "GET";
    facts->scheme = "http";
    facts->authority = facts->host = "app.example.org";
    facts->target = "/app/x?y=1";
    facts->path = "/app/x";
    facts->query = "y=1";
    facts->id = "2a-1";
    facts->status = 200;
    facts->bytes_down = 512;
    facts->begun = house.clock.now();
    facts->begun_wall = house.clock.wall();
    house.pass(1500us);
  }
  void answered_by(Endpoint& endpoint) {
    facts->endpoint = &endpoint;
    facts->way.attempts = 1;
    facts->asked = facts->begun;
    facts->answered = house.clock.now();
  }
  std::string line() {
    house.journal.lines.clear();
    facts->client = connection.client;
    facts->client_address = arena.copy(connection.client.ip().text());
    finish_request(house.house, *facts, *plan, arena);
    EXPECT_EQ(house.journal.lines.size(), 1u);
    return house.journal.lines.empty() ? "" : house.journal.lines.front();
  }
  RequestTally::Row& row(const std::string& name) { return registry.request_tallies.at(name)->row(0); }

  MadeHouse house;
  MadeRegistry registry;
  std::shared_ptr<const Plan> plan;
  Facts connection;
  std::optional<RequestFacts> facts;
  Arena arena;
};

Error of_upstream(Errc code) {
  return {.code = code, .side = Side::upstream, .doing = "waiting for the answer"};
}

TEST(RequestLog, TellsEverythingInText) {
  Logged logged;
  Endpoint endpoint("http://192.0.2.1:80");
  logged.answered_by(endpoint);
  logged.facts->way.address = made_address("192.0.2.1:80");
  logged.facts->user_agent = "curl/8 \"x\"";
  EXPECT_EQ(logged.line(),
            "time=2023-11-14T22:13:20.000Z request=2a-1 connection=2a listener=front peer=192.0.2.9:1234 "
            "client=192.0.2.9:1234 scheme=http host=app.example.org method=GET target=\"/app/x?y=1\" "
            "protocol=HTTP/1.1 user_agent=\"curl/8 \\\"x\\\"\" status=200 site=app.example.org route=app "
            "upstream=http://192.0.2.1:80 endpoint=http://192.0.2.1:80 address=192.0.2.1:80 attempts=1 "
            "answer_ms=1.500 duration_ms=1.500 bytes_up=0 bytes_down=512 outcome=finished");
}

TEST(RequestLog, HasRoomForTheRestWhateverAClientSends) {
  for (const char* format : {"text", "json"}) {
    Logged logged(format);
    std::string much(100'000, '"');
    logged.facts->target = logged.facts->referer = logged.facts->user_agent = much;
    std::string line = logged.line();
    for (const char* there : {"target", "referer", "user_agent", "status", "outcome", "cut"})
      EXPECT_TRUE(line.contains(there)) << there << " in " << line;
    EXPECT_LT(line.size(), LineBuilder::kLongest);
  }
}

TEST(RequestLog, WritesCommonLinesAsApacheDoes) {
  Logged logged("common");
  EXPECT_EQ(logged.line(), R"(192.0.2.9 - - [14/Nov/2023:22:13:20 +0000] "GET /app/x?y=1 HTTP/1.1" 200 512)");
  logged.facts->bytes_down = 0;
  logged.facts->minor_version = 0;
  logged.facts->status = 304;
  EXPECT_EQ(logged.line(), R"(192.0.2.9 - - [14/Nov/2023:22:13:20 +0000] "GET /app/x?y=1 HTTP/1.0" 304 -)");
  logged.facts->method = logged.facts->target = "";
  logged.facts->status = 400;
  EXPECT_EQ(logged.line(), R"(192.0.2.9 - - [14/Nov/2023:22:13:20 +0000] "-" 400 -)");
}

TEST(RequestLog, WritesCombinedLinesThatNoClientCanForge) {
  Logged logged("combined");
  EXPECT_EQ(logged.line(),
            R"(192.0.2.9 - - [14/Nov/2023:22:13:20 +0000] "GET /app/x?y=1 HTTP/1.1" 200 512 "-" "-")");
  logged.connection.client = made_address("[2001:db8::5]:99");
  logged.facts->target = "/\"";
  logged.facts->referer = "http://a/\"\t\\";
  logged.facts->user_agent = "a\" 200 1 \"\n127.0.0.1 \xc3\xa4";
  EXPECT_EQ(
      logged.line(),
      R"(2001:db8::5 - - [14/Nov/2023:22:13:20 +0000] "GET /\x22 HTTP/1.1" 200 512 "http://a/\x22\x09\x5c" )"
      R"("a\x22 200 1 \x22\x0a127.0.0.1 \xc3\xa4")");
}

TEST(RequestLog, FillsInAFormOfTheOperators) {
  Logged logged(
      "\"$time|$request_id|$connection|$client_address|$host|$route|$upstream|$endpoint|$attempts|$reused|"
      "$status|$answer_ms|$duration_ms|$bytes_up|$bytes_down|$body_bytes|$outcome|$ended_by|$reason|$$\"");
  EXPECT_EQ(logged.line(),
            "2023-11-14T22:13:20.000Z|2a-1|2a|192.0.2.9|app.example.org|app|http://192.0.2.1:80|-|-|-|200|-|"
            "1.500|0|512|512|finished|-|-|$");
  Endpoint endpoint("http://192.0.2.1:80");
  logged.answered_by(endpoint);
  logged.facts->bytes_down = 0;
  logged.facts->error = of_upstream(Errc::reset);
  EXPECT_EQ(logged.line(),
            "2023-11-14T22:13:20.000Z|2a-1|2a|192.0.2.9|app.example.org|app|http://192.0.2.1:80|"
            "http://192.0.2.1:80|1|false|200|1.500|1.500|0|0|-|reset|upstream|"
            "waiting for the answer: reset|$");
}

TEST(RequestLog, KnowsEveryVariableInAnyState) {
  std::string form;
  for (const auto& variable : config::kVariables) form += "$" + std::string(variable.name) + " ";
  for (const auto& variable : config::kLogVariables) form += "$" + std::string(variable.name) + " ";
  Logged logged("\"" + form + "\"");
  EXPECT_FALSE(logged.line().contains('$'));
  logged.facts->route = &logged.facts->site->routes.routes().back();
  logged.line();
  logged.facts->route = nullptr;
  logged.line();
  logged.facts->site = nullptr;
  logged.connection.client = SocketAddress();
  EXPECT_FALSE(logged.line().contains("  "));
}

TEST(RequestLog, CountsRequestsAtTheirRouteTheirSiteOrTheirListener) {
  Logged logged;
  logged.facts->bytes_up = 7;
  logged.facts->way.attempts = 3;
  logged.facts->stale = 1;
  logged.line();
  const auto& of_route = logged.row("front/app.example.org/app");
  EXPECT_EQ(of_route.answers[place_of_status(200)].value(), 1u);
  EXPECT_EQ(of_route.bytes_up.value(), 7u);
  EXPECT_EQ(of_route.bytes_down.value(), 512u);
  EXPECT_EQ(of_route.retries.value(), 2u);
  EXPECT_EQ(of_route.stale.value(), 1u);
  EXPECT_EQ(of_route.durations.count(1), 1u);
  logged.facts->route = nullptr;
  logged.facts->status = 404;
  logged.facts->error = Error{.code = Errc::rejected, .side = Side::client, .doing = "choosing the route"};
  logged.line();
  const auto& of_site = logged.row("front/app.example.org/");
  EXPECT_EQ(of_site.answers[place_of_status(404)].value(), 1u);
  EXPECT_EQ(of_site.errors[place_of_error(*logged.facts->error)].value(), 1u);
  EXPECT_TRUE(logged.house.journal.told.empty());
  logged.facts->site = nullptr;
  logged.line();
  EXPECT_EQ(logged.row("front//").answers[place_of_status(404)].value(), 1u);
  EXPECT_EQ(of_route.answers[place_of_status(200)].value(), 1u);
}

TEST(RequestLog, CountsWhatAnEndpointDid) {
  Logged logged;
  Endpoint endpoint("http://192.0.2.1:80");
  const Endpoint::Row& row = endpoint.row(0);
  logged.answered_by(endpoint);
  logged.line();
  EXPECT_EQ(row.requests.value(), 1u);
  EXPECT_EQ(row.answers.count(1), 1u);
  logged.facts->status = 503;
  logged.line();
  EXPECT_EQ(row.server_errors.value(), 1u);
  EXPECT_EQ(row.failures.value(), 0u);
  logged.facts->error = of_upstream(Errc::closed);  // behind the head
  logged.line();
  EXPECT_EQ(row.failures.value(), 1u);
  EXPECT_EQ(row.requests.value(), 3u);
  logged.facts->answered = {};  // it was told already that this failed
  logged.line();
  EXPECT_EQ(row.requests.value(), 3u);
}

TEST(RequestLog, TakesAConnectionThatWentStaleForNobodysFault) {
  Logged logged;
  Endpoint endpoint("http://192.0.2.1:80");
  const Endpoint::Row& row = endpoint.row(0);
  logged.facts->endpoint = &endpoint;
  logged.facts->reused = true;
  note_failed_try(logged.house.house, *logged.facts, of_upstream(Errc::closed).retry());
  EXPECT_EQ(logged.facts->stale, 1u);
  EXPECT_EQ(row.failures.value(), 0u);
  note_failed_try(logged.house.house, *logged.facts, of_upstream(Errc::timed_out));
  logged.facts->reused = false;
  note_failed_try(logged.house.house, *logged.facts, of_upstream(Errc::reset));
  Error of_client{.code = Errc::closed, .side = Side::client, .doing = "reading"};
  note_failed_try(logged.house.house, *logged.facts, of_client);
  EXPECT_EQ(logged.facts->stale, 1u);
  EXPECT_EQ(row.failures.value(), 2u);
  EXPECT_EQ(row.requests.value(), 2u);
}

}  // namespace
}  // namespace lockgate::proxy
