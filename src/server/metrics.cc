#include "server/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace lockgate::server {
namespace {

using proxy::RequestTally;
using proxy::Tally;

struct Label {
  std::string_view name;
  std::string_view value;
};

/// Label values escape what would end them: backslash, quote and line feed.
std::string escaped(std::string_view value) {
  std::string text;
  for (char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

/// Writes families one after the other: begin() one, then its samples.
class Exposition {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void sample(std::initializer_list<Label> labels, std::uint64_t value) {
    write(name_, all(labels), fmt::format_int(value).str());
  }
  /// The samples of one histogram, in seconds.
  void histogram(std::initializer_list<Label> labels, const proxy::HistogramSum& sum) {
    std::vector<Label> with_end(labels);
    with_end.push_back({"le", ""});
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < sum.counts.size(); ++i) {
      bool last = i == proxy::kBuckets.size();
      std::string end = last ? "+Inf" : fmt::format("{}", seconds(proxy::kBuckets[i]));
      with_end.back().value = end;
      count += sum.counts[i];
      write(name_ + "_bucket", with_end, fmt::format_int(count).str());
    }
    write(name_ + "_sum", all(labels), fmt::format("{:.9f}", static_cast<double>(sum.nanoseconds) / 1e9));
    write(name_ + "_count", all(labels), fmt::format_int(count).str());
  }
  std::string take() { return std::move(text_); }

 private:
  static double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
  static std::span<const Label> all(std::initializer_list<Label> labels) {
    return {labels.begin(), labels.size()};
  }
  void write(std::string_view sample, std::span<const Label> labels, std::string_view value) {
    text_ += sample;
    char before = '{';
    for (const auto& [name, label] : labels) {
      fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", std::exchange(before, ','), name,
                     escaped(label));
    }
    fmt::format_to(std::back_inserter(text_), "{} {}\n", labels.empty() ? "" : "}", value);
  }

  std::string text_;
  std::string name_;
};

std::string_view outcome_name(std::size_t outcome) {
  return outcome == proxy::kFinished ? "finished" : name_of(static_cast<Errc>(outcome));
}

void write_process(Exposition& out, const Overview& overview) {
  out.begin("lockgate_build_info", "gauge", "Always 1; the version is its label.");
  out.sample({{"version", overview.version}}, 1);
  out.begin("lockgate_start_time_seconds", "gauge", "When this process started, in seconds since 1970.");
  out.sample({}, static_cast<std::uint64_t>(overview.started / 1'000'000'000));
  out.begin("lockgate_draining", "gauge", "1 once this process takes no new connections.");
  out.sample({}, overview.draining ? 1 : 0);
  out.begin("lockgate_reloads_total", "counter", "Reloads of the configuration.");
  out.sample({{"result", "ok"}}, overview.reloads_ok);
  out.sample({{"result", "failed"}}, overview.reloads_failed);
  out.begin("lockgate_log_lines_dropped_total", "counter", "Log lines that could not be written in time.");
  out.sample({}, overview.log_lines_dropped);
}

/// Sites of one listener and verdict count together.
void write_connections(Exposition& out, const Overview& overview) {
  using Outcomes = std::array<std::uint64_t, proxy::kOutcomes>;
  std::map<std::pair<std::string, std::string>, Outcomes> counts;
  for (const auto& tally : overview.tallies) {
    Outcomes& sums = counts[{tally->listener(), tally->verdict()}];
    for (std::size_t i = 0; i < proxy::kOutcomes; ++i) {
      sums[i] += tally->sum([&](const Tally::Row& row) { return row.outcomes[i].value(); });
    }
  }
  out.begin("lockgate_connections_total", "counter", "Connections that have ended.");
  for (const auto& [key, sums] : counts) {
    for (std::size_t i = 0; i < proxy::kOutcomes; ++i) {
      out.sample({{"listener", key.first}, {"verdict", key.second}, {"outcome", outcome_name(i)}}, sums[i]);
    }
  }
  out.begin("lockgate_connections", "gauge", "Connections now.");
  for (const auto& listener : overview.listeners) {
    out.sample({{"listener", listener.name}}, listener.connections);
  }
}

void write_bytes(Exposition& out, const Overview& overview) {
  std::uint64_t up = 0, down = 0;
  for (const auto& tally : overview.tallies) {
    up += tally->sum([](const Tally::Row& row) { return row.bytes_up.value(); });
    down += tally->sum([](const Tally::Row& row) { return row.bytes_down.value(); });
  }
  out.begin("lockgate_bytes_total", "counter", "Bytes relayed, up to the upstreams and down to the clients.");
  out.sample({{"direction", "up"}}, up);
  out.sample({{"direction", "down"}}, down);
}

template <class Value>
void write_endpoints(Exposition& out, const Overview& overview, Value value) {
  for (const auto& upstream : overview.upstreams) {
    for (const auto& endpoint : upstream.endpoints) {
      out.sample({{"upstream", upstream.name}, {"endpoint", endpoint.label}}, value(endpoint));
    }
  }
}

void write_queues(Exposition& out, const Overview& overview) {
  auto write = [&](auto value) {
    for (const auto& upstream : overview.upstreams)
      out.sample({{"upstream", upstream.name}}, upstream.*value);
  };
  out.begin("lockgate_upstream_queue", "gauge", "Who waits now for an endpoint that is not full.");
  write(&UpstreamOverview::waiting);
  out.begin("lockgate_upstream_queued_total", "counter", "Who has waited for an endpoint that was not full.");
  write(&UpstreamOverview::queued);
  out.begin("lockgate_upstream_turned_away_total", "counter",
            "Who got no endpoint, for the queue was full or its time over.");
  write(&UpstreamOverview::turned_away);
  out.begin("lockgate_upstream_retries_saved_total", "counter", "Further tries that were above the budget.");
  write(&UpstreamOverview::retries_saved);
}

// By listener and site.
using SiteName = std::pair<std::string, std::string>;

void write_answers(Exposition& out, const Overview& overview) {
  auto count = [](const RequestTally& tally, std::size_t place) {
    return tally.sum([&](const RequestTally::Row& row) { return row.answers[place].value(); });
  };
  out.begin("lockgate_requests_total", "counter", "Requests that are over, by the class of their status.");
  for (const auto& tally : overview.requests) {
    std::array<std::uint64_t, proxy::kStatusClasses.size()> classes{};
    for (std::size_t place = 0; place < proxy::kAnswers; ++place)
      classes[proxy::class_of_place(place)] += count(*tally, place);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      out.sample({{"listener", tally->listener()},
                  {"site", tally->site()},
                  {"route", tally->route()},
                  {"class", proxy::kStatusClasses[i]}},
                 classes[i]);
    }
  }
  out.begin("lockgate_answers_total", "counter", "Answers by their status, of those that there were.");
  for (const auto& tally : overview.requests) {
    for (std::size_t place = 1; place < proxy::kAnswers; ++place) {
      std::uint64_t answers = count(*tally, place);
      if (answers == 0) continue;
      out.sample({{"listener", tally->listener()},
                  {"site", tally->site()},
                  {"route", tally->route()},
                  {"status", proxy::text_of_place(place)}},
                 answers);
    }
  }
}

/// The routes of a site together.
template <class Pick>
std::map<SiteName, std::uint64_t> by_site(const Overview& overview, Pick pick) {
  std::map<SiteName, std::uint64_t> sums;
  for (const auto& tally : overview.requests) sums[{tally->listener(), tally->site()}] += tally->sum(pick);
  return sums;
}

void write_sites(Exposition& out, const Overview& overview) {
  std::map<SiteName, proxy::HistogramSum> durations;
  for (const auto& tally : overview.requests)
    durations[{tally->listener(), tally->site()}].add(tally->durations());
  out.begin("lockgate_request_duration_seconds", "histogram",
            "From the head of a request until its answer was sent.");
  for (const auto& [name, sum] : durations)
    out.histogram({{"listener", name.first}, {"site", name.second}}, sum);

  out.begin("lockgate_request_bytes_total", "counter", "Bytes of bodies, up from clients and down to them.");
  auto up = by_site(overview, [](const RequestTally::Row& row) { return row.bytes_up.value(); });
  auto down = by_site(overview, [](const RequestTally::Row& row) { return row.bytes_down.value(); });
  for (const auto& [name, bytes] : up) {
    out.sample({{"listener", name.first}, {"site", name.second}, {"direction", "up"}}, bytes);
    out.sample({{"listener", name.first}, {"site", name.second}, {"direction", "down"}}, down[name]);
  }
  auto write = [&](const std::map<SiteName, std::uint64_t>& sums) {
    for (const auto& [name, sum] : sums) out.sample({{"listener", name.first}, {"site", name.second}}, sum);
  };
  out.begin("lockgate_request_retries_total", "counter", "Further endpoints that were asked.");
  write(by_site(overview, [](const RequestTally::Row& row) { return row.retries.value(); }));
  out.begin("lockgate_failed_sign_ins_total", "counter", "Names that came with a wrong password.");
  write(by_site(overview, [](const RequestTally::Row& row) { return row.failed_sign_ins.value(); }));
  out.begin("lockgate_request_stale_connections_total", "counter",
            "Connections from the pool that the upstream had closed when they were to be used.");
  write(by_site(overview, [](const RequestTally::Row& row) { return row.stale.value(); }));
}

/// Sites of one listener count together.
void write_errors(Exposition& out, const Overview& overview) {
  std::map<std::string, std::array<std::uint64_t, kErrcCount * proxy::kSides>> counts;
  for (const auto& tally : overview.requests) {
    auto& sums = counts[tally->listener()];
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += tally->sum([&](const RequestTally::Row& row) { return row.errors[i].value(); });
  }
  out.begin("lockgate_request_errors_total", "counter",
            "Requests that were refused, failed or broken off, by reason and side.");
  for (const auto& [listener, sums] : counts) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      out.sample({{"listener", listener},
                  {"outcome", name_of(static_cast<Errc>(i / proxy::kSides))},
                  {"ended_by", name_of(static_cast<Side>(i % proxy::kSides))}},
                 sums[i]);
    }
  }
}

void write_requests(Exposition& out, const Overview& overview) {
  write_answers(out, overview);
  write_sites(out, overview);
  write_errors(out, overview);
  out.begin("lockgate_connections_waiting", "gauge", "Connections now that wait for a request.");
  for (const auto& listener : overview.listeners) out.sample({{"listener", listener.name}}, listener.waiting);
  out.begin("lockgate_upstream_answer_seconds", "histogram",
            "From a request sent to an upstream until the head of its answer.");
  for (const auto& upstream : overview.upstreams) {
    proxy::HistogramSum sum;
    for (const auto& endpoint : upstream.endpoints) sum.add(endpoint.answers);
    out.histogram({{"upstream", upstream.name}}, sum);
  }
  out.begin("lockgate_endpoint_requests_total", "counter", "Requests that the endpoint was asked.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.requests; });
  out.begin("lockgate_endpoint_request_failures_total", "counter",
            "Requests that the endpoint did not answer, or not to the end.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.failed_requests; });
  out.begin("lockgate_endpoint_server_errors_total", "counter", "Answers of the endpoint with 5xx.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.server_errors; });
  out.begin("lockgate_endpoint_idle_connections", "gauge",
            "Connections to the endpoint that wait for a request.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.idle; });
}

void write_rates(Exposition& out, const Overview& overview) {
  auto write = [&](auto value) {
    for (const auto& rate : overview.rates) {
      const guard::RateScope& scope = rate->scope();
      out.sample({{"listener", scope.listener},
                  {"site", scope.site},
                  {"route", scope.route},
                  {"rate", rate->name()}},
                 value(*rate));
    }
  };
  out.begin("lockgate_rate_refused_total", "counter",
            "Connections and requests that a rate had no room for.");
  write([](const guard::RateTally& rate) { return rate.refused(); });
  out.begin("lockgate_rate_delayed_total", "counter", "Requests that had to wait for their turn.");
  write([](const guard::RateTally& rate) { return rate.delayed(); });
  out.begin("lockgate_rate_waiting", "gauge", "Requests that wait for their turn now.");
  write([](const guard::RateTally& rate) { return std::uint64_t{rate.waiting()}; });
}

void write_bans(Exposition& out, const BansOverview& bans) {
  out.begin("lockgate_bans", "gauge", "Clients and networks that are banned now.");
  out.sample({{"kind", "client"}}, bans.clients);
  out.sample({{"kind", "network"}}, bans.networks);
  out.begin("lockgate_bans_total", "counter", "Bans, by the rule that has led to them.");
  for (const auto& [rule, count] : bans.totals) out.sample({{"rule", rule}}, count);
  out.begin("lockgate_bans_displaced_total", "counter", "Bans that have ended early for want of room.");
  out.sample({}, bans.displaced);
}

}  // namespace

std::string metrics_text(const Overview& overview) {
  Exposition out;
  write_process(out, overview);
  write_connections(out, overview);
  write_bytes(out, overview);
  out.begin("lockgate_endpoint_up", "gauge", "1 if the endpoint is used, 0 if it is down or put aside.");
  write_endpoints(out, overview,
                  [](const auto& endpoint) { return endpoint.up && !endpoint.ejected ? 1u : 0u; });
  out.begin("lockgate_endpoint_administration", "gauge",
            "What was said of the endpoint by command: 0 enabled, 1 draining, 2 disabled.");
  write_endpoints(out, overview,
                  [](const auto& endpoint) { return static_cast<std::uint64_t>(endpoint.administration); });
  out.begin("lockgate_endpoint_connections", "gauge", "Connections to the endpoint now.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.connections; });
  out.begin("lockgate_endpoint_failures_total", "counter",
            "Attempts to connect to the endpoint that failed.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.failures; });
  write_queues(out, overview);
  write_requests(out, overview);
  write_rates(out, overview);
  out.begin("lockgate_certificate_not_after_seconds", "gauge",
            "When a certificate in use ends, in seconds since 1970.");
  for (const auto& certificate : overview.certificates) {
    out.sample({{"certificate", certificate.name}, {"serial", certificate.serial}},
               static_cast<std::uint64_t>(std::max<WallTime>(certificate.not_after, 0) / 1'000'000'000));
  }
  write_bans(out, overview.bans);
  return out.take();
}

}  // namespace lockgate::server
