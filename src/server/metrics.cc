#include "server/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <utility>

namespace lockgate::server {
namespace {

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
    text_ += name_;
    char before = '{';
    for (const auto& [name, label] : labels) {
      fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", std::exchange(before, ','), name,
                     escaped(label));
    }
    fmt::format_to(std::back_inserter(text_), "{} {}\n", labels.size() > 0 ? "}" : "", value);
  }
  std::string take() { return std::move(text_); }

 private:
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

}  // namespace

std::string metrics_text(const Overview& overview) {
  Exposition out;
  write_process(out, overview);
  write_connections(out, overview);
  write_bytes(out, overview);
  out.begin("lockgate_endpoint_up", "gauge", "1 if the endpoint is used, 0 if it is down or put aside.");
  write_endpoints(out, overview,
                  [](const auto& endpoint) { return endpoint.up && !endpoint.ejected ? 1u : 0u; });
  out.begin("lockgate_endpoint_connections", "gauge", "Connections to the endpoint now.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.connections; });
  out.begin("lockgate_endpoint_failures_total", "counter",
            "Attempts to connect to the endpoint that failed.");
  write_endpoints(out, overview, [](const auto& endpoint) { return endpoint.failures; });
  out.begin("lockgate_certificate_not_after_seconds", "gauge",
            "When a certificate in use ends, in seconds since 1970.");
  for (const auto& certificate : overview.certificates) {
    out.sample({{"certificate", certificate.name}, {"serial", certificate.serial}},
               static_cast<std::uint64_t>(std::max<WallTime>(certificate.not_after, 0) / 1'000'000'000));
  }
  return out.take();
}

}  // namespace lockgate::server
