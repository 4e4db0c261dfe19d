#include "server/status.h"

#include <gtest/gtest.h>

namespace lockgate::server {
namespace {

Overview busy() {
  auto app = std::make_shared<proxy::Tally>("front", "app", "pass", 1);
  app->row(0).outcomes[proxy::kFinished].add(12);
  app->row(0).outcomes[static_cast<std::size_t>(Errc::reset)].add(2);
  app->row(0).bytes_up.add(1000);
  app->row(0).bytes_down.add(3 << 20);
  auto nobody = std::make_shared<proxy::Tally>("front", "", "none", 1);
  Overview overview{.version = "0.1.0",
                    .now = 1'700'000'000'000'000'000,
                    .started = 1'699'900'000'000'000'000,
                    .loaded = 1'699'950'000'000'000'000,
                    .config_files = {"/etc/lockgate/lockgate.yaml", "/etc/lockgate/conf.d/a.yaml"},
                    .reloads_ok = 3,
                    .reloads_failed = 1,
                    .workers = 2,
                    .process = {.inside = 7, .limit = 10'000},
                    .stages = {{0, 1, 0, 0, 0, 6, 0}}};
  overview.listeners = {{.name = "front", .addresses = {"[::]:443", "0.0.0.0:8443"}, .connections = 7}};
  overview.upstreams = {
      {.name = "portal",
       .resolved = true,
       .endpoints = {{.label = "tcp://app1:443",
                      .addresses = {"192.0.2.7:443"},
                      .connections = 6,
                      .successes = 12,
                      .failures = 1},
                     {.label = "tcp://app2:443", .up = false, .fault = "answered 503 instead of 200-399"},
                     {.label = "tcp://app3:443", .administration = proxy::Administration::draining}}},
      {.name = "slow"}};
  overview.certificates = {{.name = "star",
                            .subject = "CN=*.example.com",
                            .serial = "0A",
                            .not_after = 1'700'000'000'000'000'000 + 30 * 86'400'000'000'000,
                            .days_left = 30,
                            .stapled = true}};
  overview.tallies = {app, nobody};
  return overview;
}

TEST(StatusJson, HasTheBans) {
  Overview overview = busy();
  EXPECT_EQ(status_json(overview)["bans"],
            nlohmann::json({{"clients", 0}, {"networks", 0}, {"displaced", 0}}));
  overview.bans = {.clients = 3, .networks = 2, .displaced = 7};
  EXPECT_EQ(status_json(overview)["bans"],
            nlohmann::json({{"clients", 3}, {"networks", 2}, {"displaced", 7}}));
}

TEST(StatusText, TellsOfBansWhereThereAreAny) {
  Overview overview = busy();
  EXPECT_FALSE(status_text(overview).contains("banned"));
  overview.bans.networks = 2;
  EXPECT_TRUE(status_text(overview).contains("banned: 0 clients, 2 networks\n"));
}

TEST(StatusJson, HasAllThatIsKnown) {
  auto status = status_json(busy());
  EXPECT_EQ(status["version"], "0.1.0");
  EXPECT_EQ(status["state"], "serving");
  EXPECT_EQ(status["started"], "2023-11-13T18:26:40Z");
  EXPECT_EQ(status["uptime_seconds"], 100'000);
  EXPECT_EQ(status["config_files"][1], "/etc/lockgate/conf.d/a.yaml");
  EXPECT_EQ(status["reloads"]["failed"], 1);
  EXPECT_EQ(status["connections"]["now"], 7);
  EXPECT_EQ(status["connections"]["limit"], 10'000);
  EXPECT_EQ(status["stages"]["relaying"], 6);
  EXPECT_EQ(status["listeners"][0]["addresses"][0], "[::]:443");
  EXPECT_EQ(status["sites"][0]["site"], "app");
  EXPECT_EQ(status["sites"][0]["failed"], nlohmann::json({{"reset", 2}}));
  EXPECT_EQ(status["sites"][1]["failed"], nlohmann::json::object());
  EXPECT_EQ(status["upstreams"][0]["endpoints"][0]["connections"], 6);
  EXPECT_EQ(status["upstreams"][0]["endpoints"][1]["state"], "down");
  EXPECT_EQ(status["upstreams"][0]["endpoints"][1]["fault"], "answered 503 instead of 200-399");
  EXPECT_EQ(status["upstreams"][0]["endpoints"][2]["state"], "draining");
  EXPECT_EQ(status["upstreams"][0]["endpoints"][2]["up"], true);
  EXPECT_EQ(status["upstreams"][1]["resolved"], false);
  EXPECT_EQ(status["certificates"][0]["not_after"], "2023-12-14T22:13:20Z");
  EXPECT_EQ(status["certificates"][0]["days_left"], 30);
  EXPECT_EQ(status["certificates"][0]["ocsp"], "good");
}

TEST(StatusJson, LeavesOutStagesThatNobodyCounted) {
  EXPECT_FALSE(status_json({}).contains("stages"));
  EXPECT_EQ(status_json({.draining = true})["state"], "draining");
}

TEST(StatusText, ReadsLikeThis) {
  EXPECT_EQ(status_text(busy()), R"(Lockgate 0.1.0, serving for 1 d 3 h, since 2023-11-13T18:26:40Z, 2 workers
configuration: /etc/lockgate/lockgate.yaml /etc/lockgate/conf.d/a.yaml, read 2023-11-14T08:20:00Z; 4 reloads, 1 failed
connections: 7 of at most 10000 (hello 1, relaying 6)

LISTENER  CONNECTIONS  ADDRESSES
front     7            [::]:443 0.0.0.0:8443

SITE       LISTENER  VERDICT  FINISHED  FAILED  UP      DOWN
app        front     pass     12        2       1000 B  3.0 MiB
(no site)  front     none     0         0       0 B     0 B

UPSTREAM  ENDPOINT        STATE       CONNECTIONS  CONNECTED  FAILED  ADDRESSES
portal    tcp://app1:443  up          6            12         1       192.0.2.7:443
portal    tcp://app2:443  down        0            0          0
portal    tcp://app3:443  draining    0            0          0
slow      -               unresolved  0            0          0

tcp://app2:443 of portal is down: answered 503 instead of 200-399

CERTIFICATE  SUBJECT           ENDS                  DAYS LEFT
star         CN=*.example.com  2023-12-14T22:13:20Z  30
)");
}

/// The same, where requests are read.
Overview busy_with_requests() {
  Overview overview = busy();
  auto app = std::make_shared<proxy::RequestTally>("front", "app", "/", 1);
  app->row(0).answers[proxy::place_of_status(200)].add(40);
  app->row(0).answers[proxy::place_of_status(404)].add(2);
  auto unrouted = std::make_shared<proxy::RequestTally>("front", "app", "", 1);
  unrouted->row(0).answers[proxy::place_of_status(404)].add(1);
  auto other = std::make_shared<proxy::RequestTally>("back", "app", "/", 1);
  other->row(0).answers[proxy::place_of_status(200)].add(7);
  overview.requests = {app, unrouted, other};
  auto& endpoint = overview.upstreams[0].endpoints[0];
  endpoint.requests = 41;
  endpoint.failed_requests = 1;
  endpoint.server_errors = 3;
  endpoint.idle = 5;
  return overview;
}

TEST(StatusText, TellsOfRequestsWhereTheyAreRead) {
  std::string text = status_text(busy_with_requests());
  EXPECT_TRUE(
      text.contains("\nSITE  LISTENER  REQUESTS  2XX  3XX  4XX  5XX\n"
                    "app   front     43        40   0    3    0\n\n"
                    "UPSTREAM  ENDPOINT        REQUESTS  FAILED  5XX  IDLE CONNECTIONS\n"
                    "portal    tcp://app1:443  41        1       3    5\n"))
      << text;
}

TEST(StatusJson, TellsOfRequests) {
  auto status = status_json(busy_with_requests());
  EXPECT_EQ(status["sites"][0]["requests"], nlohmann::json({{"2xx", 40}, {"4xx", 3}}));
  EXPECT_EQ(status["sites"][1]["requests"], nlohmann::json::object());
  const auto& endpoint = status["upstreams"][0]["endpoints"][0];
  EXPECT_EQ(endpoint["requests"], 41);
  EXPECT_EQ(endpoint["failed_requests"], 1);
  EXPECT_EQ(endpoint["server_errors"], 3);
  EXPECT_EQ(endpoint["idle"], 5);
}

TEST(StatusText, OfANewProcessFromFlags) {
  std::string text =
      status_text({.version = "0.1.0", .draining = true, .log_lines_dropped = 4, .workers = 1});
  EXPECT_TRUE(
      text.starts_with("Lockgate 0.1.0, draining, up for 0 s, since 1970-01-01T00:00:00Z, 1 worker\n"
                       "configuration: from flags, read 1970-01-01T00:00:00Z; 0 reloads, 0 failed\n"
                       "connections: 0\n"
                       "log lines dropped: 4\n"))
      << text;
}

}  // namespace
}  // namespace lockgate::server
