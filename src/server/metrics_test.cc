#include "server/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace lockgate::server {
namespace {

// Prometheus's text format, read as strictly as its description allows: every family is opened by HELP and
// TYPE, its samples follow at once, no sample comes twice.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    EXPECT_TRUE(text.ends_with('\n'));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# ")) {
        read_comment(line);
      } else {
        read_sample(line);
      }
    }
  }
  /// The value of a sample written as 'name{label="value"}'; -1 if there is none.
  double value(const std::string& sample) const {
    auto found = samples.find(sample);
    return found == samples.end() ? -1 : found->second;
  }

  std::map<std::string, std::string> types;
  std::map<std::string, double> samples;

 private:
  void read_comment(const std::string& line) {
    std::istringstream words(line);
    std::string hash, kind, name, rest;
    words >> hash >> kind >> name;
    std::getline(words, rest);
    EXPECT_GT(rest.size(), 1u) << line;
    if (kind == "HELP") {
      EXPECT_TRUE(helped_.insert(name).second) << "twice: " << name;
      family_ = name;
    } else {
      EXPECT_EQ(kind, "TYPE");
      EXPECT_EQ(name, family_);
      EXPECT_TRUE(types.emplace(name, rest.substr(1)).second);
      if (rest != " histogram") {
        EXPECT_EQ(rest.substr(1), name.ends_with("_total") ? "counter" : "gauge");
      }
    }
  }
  void read_sample(const std::string& line) {
    std::size_t at = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    bool of_histogram = types[family_] == "histogram";
    std::string name = line.substr(0, at);
    if (of_histogram) {
      EXPECT_TRUE(name == family_ + "_bucket" || name == family_ + "_sum" || name == family_ + "_count")
          << line;
    } else {
      EXPECT_EQ(name, family_) << line;
    }
    EXPECT_TRUE(types.contains(family_));
    if (at < line.size() && line[at] == '{') at = read_labels(line, at + 1);
    ASSERT_LT(at, line.size()) << line;
    ASSERT_EQ(line[at], ' ') << line;
    std::size_t used = 0;
    double number = std::stod(line.substr(at + 1), &used);
    EXPECT_EQ(used, line.size() - at - 1) << line;
    EXPECT_TRUE(samples.emplace(line.substr(0, at), number).second) << "twice: " << line;
  }
  // Returns the place behind the brace.
  std::size_t read_labels(const std::string& line, std::size_t at) {
    for (;;) {
      std::size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
      EXPECT_GT(end, at) << line;
      EXPECT_EQ(line.substr(end, 2), "=\"") << line;
      for (at = end + 2; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] != '\\') continue;
        ++at;
        EXPECT_TRUE(line[at] == '\\' || line[at] == '"' || line[at] == 'n') << line;
      }
      char behind = at + 1 < line.size() ? line[at + 1] : '\0';
      if (behind != ',') {
        EXPECT_EQ(behind, '}') << line;
        return at + 2;
      }
      at += 2;
    }
  }

  std::set<std::string> helped_;
  std::string family_;
};

std::shared_ptr<proxy::Tally> tally(const std::string& listener, const std::string& site,
                                    const std::string& verdict) {
  return std::make_shared<proxy::Tally>(listener, site, verdict, 2);
}

TEST(Metrics, OfAProcessThatHasDoneNothingAreWellFormed) {
  Exposition read(metrics_text({.version = "1.2"}));
  EXPECT_EQ(read.value(R"(lockgate_build_info{version="1.2"})"), 1);
  EXPECT_EQ(read.value("lockgate_draining"), 0);
  EXPECT_EQ(read.value(R"(lockgate_bytes_total{direction="up"})"), 0);
}

TEST(Metrics, CountTheSitesOfAListenerTogether) {
  auto one = tally("front", "a", "pass"), two = tally("front", "b", "pass"),
       nobody = tally("front", "", "none");
  one->row(0).outcomes[proxy::kFinished].add(3);
  one->row(1).outcomes[proxy::kFinished].add(4);
  two->row(0).outcomes[proxy::kFinished].add(5);
  two->row(0).outcomes[static_cast<std::size_t>(Errc::reset)].add(2);
  nobody->row(1).outcomes[static_cast<std::size_t>(Errc::no_site)].add(1);
  one->row(0).bytes_up.add(10);
  two->row(1).bytes_up.add(20);
  two->row(1).bytes_down.add(7);
  Exposition read(metrics_text({.tallies = {one, two, nobody}}));
  auto total = [&](const std::string& verdict, const std::string& outcome) {
    return read.value("lockgate_connections_total{listener=\"front\",verdict=\"" + verdict + "\",outcome=\"" +
                      outcome + "\"}");
  };
  EXPECT_EQ(total("pass", "finished"), 12);
  EXPECT_EQ(total("pass", "reset"), 2);
  EXPECT_EQ(total("pass", "timed_out"), 0);
  EXPECT_EQ(total("none", "no_site"), 1);
  EXPECT_EQ(read.value(R"(lockgate_bytes_total{direction="up"})"), 30);
  EXPECT_EQ(read.value(R"(lockgate_bytes_total{direction="down"})"), 7);
}

TEST(Metrics, TellEndpointsReloadsAndDroppedLines) {
  Overview overview{.draining = true,
                    .started = 1'700'000'000'999'999'999,
                    .reloads_ok = 2,
                    .reloads_failed = 1,
                    .log_lines_dropped = 9};
  overview.listeners = {{.name = "front", .connections = 5}};
  overview.upstreams = {
      {.name = "portal",
       .endpoints = {
           {.label = "tcp://a:1", .connections = 3, .failures = 4},
           {.label = "tcp://b:1", .ejected = true},
           {.label = "tcp://c:1", .up = false, .administration = proxy::Administration::disabled}}}};
  Exposition read(metrics_text(overview));
  EXPECT_EQ(read.value("lockgate_draining"), 1);
  EXPECT_EQ(read.value("lockgate_start_time_seconds"), 1'700'000'000);
  EXPECT_EQ(read.value(R"(lockgate_reloads_total{result="ok"})"), 2);
  EXPECT_EQ(read.value(R"(lockgate_reloads_total{result="failed"})"), 1);
  EXPECT_EQ(read.value("lockgate_log_lines_dropped_total"), 9);
  EXPECT_EQ(read.value(R"(lockgate_connections{listener="front"})"), 5);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_up{upstream="portal",endpoint="tcp://a:1"})"), 1);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_up{upstream="portal",endpoint="tcp://b:1"})"), 0);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_up{upstream="portal",endpoint="tcp://c:1"})"), 0);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_administration{upstream="portal",endpoint="tcp://b:1"})"), 0);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_administration{upstream="portal",endpoint="tcp://c:1"})"), 2);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_connections{upstream="portal",endpoint="tcp://a:1"})"), 3);
  EXPECT_EQ(read.value(R"(lockgate_endpoint_failures_total{upstream="portal",endpoint="tcp://a:1"})"), 4);
}

TEST(Metrics, TellBans) {
  Overview overview;
  overview.bans = {.clients = 3, .networks = 2, .displaced = 7, .totals = {{"sign-in", 40}, {"command", 5}}};
  Exposition read(metrics_text(overview));
  EXPECT_EQ(read.value(R"(lockgate_bans{kind="client"})"), 3);
  EXPECT_EQ(read.value(R"(lockgate_bans{kind="network"})"), 2);
  EXPECT_EQ(read.value(R"(lockgate_bans_total{rule="sign-in"})"), 40);
  EXPECT_EQ(read.value(R"(lockgate_bans_total{rule="command"})"), 5);
  EXPECT_EQ(read.value("lockgate_bans_displaced_total"), 7);
}

TEST(Metrics, TellThatNobodyIsBanned) {
  Exposition read(metrics_text({}));
  EXPECT_EQ(read.value(R"(lockgate_bans{kind="client"})"), 0);
  EXPECT_EQ(read.value(R"(lockgate_bans{kind="network"})"), 0);
  EXPECT_EQ(read.value("lockgate_bans_displaced_total"), 0);
}

TEST(Metrics, CountRequestsByRouteAndTheirTimesBySite) {
  using namespace std::chrono_literals;
  auto route = std::make_shared<proxy::RequestTally>("front", "app", "/x", 2),
       unrouted = std::make_shared<proxy::RequestTally>("front", "app", "", 2);
  route->row(0).answers[proxy::place_of_status(200)].add(3);
  route->row(1).answers[proxy::place_of_status(299)].add(1);
  route->row(1).durations.add(30ms);
  route->row(0).bytes_up.add(10);
  route->row(0).retries.add(2);
  route->row(0).stale.add(1);
  unrouted->row(0).answers[proxy::place_of_status(404)].add(1);
  unrouted->row(0).errors[proxy::place_of_error({.code = Errc::rejected, .side = Side::client})].add(1);
  unrouted->row(0).durations.add(100s);
  Exposition read(metrics_text({.requests = {route, unrouted}}));
  auto value = [&](const std::string& name, const std::string& more) {
    return read.value("lockgate_" + name + "{listener=\"front\"," + more + "}");
  };
  EXPECT_EQ(value("requests_total", R"(site="app",route="/x",class="2xx")"), 4);
  EXPECT_EQ(value("requests_total", R"(site="app",route="/x",class="5xx")"), 0);
  EXPECT_EQ(value("requests_total", R"(site="app",route="",class="4xx")"), 1);
  EXPECT_EQ(value("answers_total", R"(site="app",route="/x",status="200")"), 3);
  EXPECT_EQ(value("answers_total", R"(site="app",route="/x",status="2xx")"), 1);
  EXPECT_EQ(value("answers_total", R"(site="app",route="/x",status="404")"), -1);
  EXPECT_EQ(read.types["lockgate_request_duration_seconds"], "histogram");
  EXPECT_EQ(value("request_duration_seconds_bucket", R"(site="app",le="0.025")"), 0);
  EXPECT_EQ(value("request_duration_seconds_bucket", R"(site="app",le="0.05")"), 1);
  EXPECT_EQ(value("request_duration_seconds_bucket", R"(site="app",le="60")"), 1);
  EXPECT_EQ(value("request_duration_seconds_bucket", R"(site="app",le="+Inf")"), 2);
  EXPECT_EQ(value("request_duration_seconds_count", R"(site="app")"), 2);
  EXPECT_DOUBLE_EQ(value("request_duration_seconds_sum", R"(site="app")"), 100.03);
  EXPECT_EQ(value("request_bytes_total", R"(site="app",direction="up")"), 10);
  EXPECT_EQ(value("request_retries_total", R"(site="app")"), 2);
  EXPECT_EQ(value("request_stale_connections_total", R"(site="app")"), 1);
  EXPECT_EQ(value("request_errors_total", R"(outcome="rejected",ended_by="client")"), 1);
  EXPECT_EQ(value("request_errors_total", R"(outcome="timed_out",ended_by="upstream")"), 0);
}

TEST(Metrics, TellWhatEndpointsDidOfRequests) {
  using namespace std::chrono_literals;
  proxy::Histogram answers;
  answers.add(7ms);
  Overview overview;
  overview.listeners = {{.name = "front", .connections = 5, .waiting = 4}};
  overview.upstreams = {
      {.name = "portal",
       .endpoints = {
           {.label = "http://a:1", .requests = 9, .failed_requests = 2, .server_errors = 1, .idle = 3}}}};
  overview.upstreams[0].endpoints[0].answers.add(answers);
  Exposition read(metrics_text(overview));
  auto value = [&](const std::string& name) {
    return read.value("lockgate_endpoint_" + name + R"({upstream="portal",endpoint="http://a:1"})");
  };
  EXPECT_EQ(value("requests_total"), 9);
  EXPECT_EQ(value("request_failures_total"), 2);
  EXPECT_EQ(value("server_errors_total"), 1);
  EXPECT_EQ(value("idle_connections"), 3);
  EXPECT_EQ(read.value(R"(lockgate_connections_waiting{listener="front"})"), 4);
  EXPECT_EQ(read.value(R"(lockgate_upstream_answer_seconds_bucket{upstream="portal",le="0.005"})"), 0);
  EXPECT_EQ(read.value(R"(lockgate_upstream_answer_seconds_bucket{upstream="portal",le="0.01"})"), 1);
}

TEST(Metrics, EscapeLabelValues) {
  Overview overview;
  overview.listeners = {{.name = "a\\b\"c\nd}", .connections = 1}};
  Exposition read(metrics_text(overview));
  EXPECT_EQ(read.value(R"(lockgate_connections{listener="a\\b\"c\nd}"})"), 1);
}

}  // namespace
}  // namespace lockgate::server
