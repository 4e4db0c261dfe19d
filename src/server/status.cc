#include "server/status.h"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "config/words.h"

namespace lockgate::server {
namespace {

using nlohmann::json;
using proxy::Tally;

constexpr WallTime kSecond = 1'000'000'000;

/// RFC 3339.
std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(time / kSecond));
}

std::int64_t uptime_seconds(const Overview& overview) {
  return std::max<WallTime>(overview.now - overview.started, 0) / kSecond;
}

// What the operator has said comes first.
std::string_view state_of(const EndpointOverview& endpoint) {
  if (endpoint.administration != proxy::Administration::enabled) return name_of(endpoint.administration);
  if (!endpoint.up) return "down";
  return endpoint.ejected ? "ejected" : "up";
}

std::uint64_t ended(const Tally& tally, std::size_t outcome) {
  return tally.sum([&](const Tally::Row& row) { return row.outcomes[outcome].value(); });
}
std::uint64_t failed(const Tally& tally) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < proxy::kFinished; ++i) total += ended(tally, i);
  return total;
}
std::uint64_t bytes_up(const Tally& tally) {
  return tally.sum([](const Tally::Row& row) { return row.bytes_up.value(); });
}
std::uint64_t bytes_down(const Tally& tally) {
  return tally.sum([](const Tally::Row& row) { return row.bytes_down.value(); });
}

/// The requests of a site, by the class of their status.
using Classes = std::array<std::uint64_t, proxy::kStatusClasses.size()>;

Classes requests_of(const Overview& overview, const Tally& site) {
  Classes classes{};
  for (const auto& tally : overview.requests) {
    if (tally->listener() != site.listener() || tally->site() != site.site()) continue;
    for (std::size_t place = 0; place < proxy::kAnswers; ++place) {
      classes[proxy::class_of_place(place)] +=
          tally->sum([&](const auto& row) { return row.answers[place].value(); });
    }
  }
  return classes;
}

std::uint64_t total(const Classes& classes) {
  return std::accumulate(classes.begin(), classes.end(), std::uint64_t{0});
}

json site_json(const Tally& tally, const Classes& classes) {
  json failures = json::object();
  for (std::size_t i = 0; i < proxy::kFinished; ++i) {
    if (auto count = ended(tally, i)) failures[std::string(name_of(static_cast<Errc>(i)))] = count;
  }
  json requests = json::object();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] > 0) requests[std::string(proxy::kStatusClasses[i])] = classes[i];
  }
  return {{"listener", tally.listener()}, {"site", tally.site()},
          {"verdict", tally.verdict()},   {"finished", ended(tally, proxy::kFinished)},
          {"failed", failures},           {"requests", requests},
          {"bytes_up", bytes_up(tally)},  {"bytes_down", bytes_down(tally)}};
}

json endpoint_json(const EndpointOverview& endpoint) {
  return {{"endpoint", endpoint.label},
          {"state", state_of(endpoint)},
          {"up", endpoint.up},
          {"fault", endpoint.fault},
          {"addresses", endpoint.addresses},
          {"weight", endpoint.weight},
          {"backup", endpoint.backup},
          {"connections", endpoint.connections},
          {"successes", endpoint.successes},
          {"failures", endpoint.failures},
          {"requests", endpoint.requests},
          {"failed_requests", endpoint.failed_requests},
          {"idle", endpoint.idle},
          {"server_errors", endpoint.server_errors}};
}

json upstream_json(const UpstreamOverview& upstream) {
  json endpoints = json::array();
  for (const auto& endpoint : upstream.endpoints) endpoints.push_back(endpoint_json(endpoint));
  return {{"name", upstream.name},
          {"resolved", upstream.resolved},
          {"waiting", upstream.waiting},
          {"endpoints", std::move(endpoints)}};
}

json certificate_json(const CertificateOverview& certificate) {
  return {{"name", certificate.name},           {"subject", certificate.subject},
          {"serial", certificate.serial},       {"not_after", time_text(certificate.not_after)},
          {"days_left", certificate.days_left}, {"ocsp", certificate.stapled ? "good" : "none"}};
}

json rate_json(const guard::RateTally& rate) {
  const guard::RateScope& scope = rate.scope();
  return {{"listener", scope.listener},
          {"site", scope.site},
          {"route", scope.route},
          {"name", rate.name()},
          {"of", config::word_of(rate.of())},
          {"refused", rate.refused()},
          {"delayed", rate.delayed()},
          {"waiting", rate.waiting()}};
}

/// Columns as wide as their widest cell; the first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t kGap = 2;
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}", row[i], widths[i] + kGap);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < kUnits.size(); ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

/// The two greatest units: "3 d 4 h", "12 min 5 s", "9 s".
std::string duration_text(std::int64_t seconds) {
  if (seconds >= 86'400) return fmt::format("{} d {} h", seconds / 86'400, seconds / 3600 % 24);
  if (seconds >= 3600) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  if (seconds >= 60) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} s", seconds);
}

std::string connections_line(const Overview& overview) {
  std::string text = fmt::format("connections: {}", overview.process.inside);
  if (overview.process.limit > 0) text += fmt::format(" of at most {}", overview.process.limit);
  const char* before = " (";
  for (std::size_t i = 0; overview.stages && i < overview.stages->size(); ++i) {
    auto count = (*overview.stages)[i];
    if (count == 0) continue;
    text += fmt::format("{}{} {}", before, name_of(static_cast<proxy::Stage>(i)), count);
    before = ", ";
  }
  return text + (*before == ',' ? ")\n" : "\n");
}

std::string listeners_table(const Overview& overview) {
  std::vector<std::vector<std::string>> rows = {{"LISTENER", "CONNECTIONS", "ADDRESSES"}};
  for (const auto& listener : overview.listeners) {
    rows.push_back({listener.name, std::to_string(listener.connections),
                    fmt::format("{}", fmt::join(listener.addresses, " "))});
  }
  return table(rows);
}

std::string sites_table(const Overview& overview) {
  std::vector<std::vector<std::string>> rows = {
      {"SITE", "LISTENER", "VERDICT", "FINISHED", "FAILED", "UP", "DOWN"}};
  for (const auto& tally : overview.tallies) {
    rows.push_back({tally->site().empty() ? "(no site)" : tally->site(), tally->listener(), tally->verdict(),
                    std::to_string(ended(*tally, proxy::kFinished)), std::to_string(failed(*tally)),
                    size_text(bytes_up(*tally)), size_text(bytes_down(*tally))});
  }
  return table(rows);
}

std::string upstreams_table(const Overview& overview) {
  std::vector<std::vector<std::string>> rows = {
      {"UPSTREAM", "ENDPOINT", "STATE", "CONNECTIONS", "CONNECTED", "FAILED", "ADDRESSES"}};
  for (const auto& upstream : overview.upstreams) {
    if (!upstream.resolved) rows.push_back({upstream.name, "-", "unresolved", "0", "0", "0", ""});
    for (const auto& endpoint : upstream.endpoints) {
      rows.push_back({upstream.name, endpoint.label, std::string(state_of(endpoint)),
                      std::to_string(endpoint.connections), std::to_string(endpoint.successes),
                      std::to_string(endpoint.failures),
                      fmt::format("{}", fmt::join(endpoint.addresses, " "))});
    }
  }
  return table(rows);
}

/// Why those that are down are, a line for each.
std::string faults(const Overview& overview) {
  std::string text;
  for (const auto& upstream : overview.upstreams) {
    for (const auto& endpoint : upstream.endpoints) {
      if (!endpoint.up && !endpoint.fault.empty())
        text += fmt::format("{} of {} is down: {}\n", endpoint.label, upstream.name, endpoint.fault);
    }
  }
  return text.empty() ? "" : "\n" + text;
}

/// Nothing where there are none.
std::string certificates_table(const Overview& overview) {
  if (overview.certificates.empty()) return "";
  std::vector<std::vector<std::string>> rows = {{"CERTIFICATE", "SUBJECT", "ENDS", "DAYS LEFT"}};
  for (const auto& certificate : overview.certificates) {
    rows.push_back({certificate.name, certificate.subject, time_text(certificate.not_after),
                    std::to_string(certificate.days_left)});
  }
  return "\n" + table(rows);
}

/// The sites where requests are read, and the endpoints that they were sent to; nothing where there are none.
std::string requests_tables(const Overview& overview) {
  if (overview.requests.empty()) return "";
  std::vector<std::vector<std::string>> sites = {
      {"SITE", "LISTENER", "REQUESTS", "2XX", "3XX", "4XX", "5XX"}};
  for (const auto& tally : overview.tallies) {
    Classes requests = requests_of(overview, *tally);
    std::uint64_t all = total(requests);
    if (all == 0) continue;
    sites.push_back({tally->site().empty() ? "(no site)" : tally->site(), tally->listener(),
                     std::to_string(all), std::to_string(requests[2]), std::to_string(requests[3]),
                     std::to_string(requests[4]), std::to_string(requests[5])});
  }
  std::vector<std::vector<std::string>> endpoints = {
      {"UPSTREAM", "ENDPOINT", "REQUESTS", "FAILED", "5XX", "IDLE CONNECTIONS"}};
  for (const auto& upstream : overview.upstreams) {
    for (const auto& endpoint : upstream.endpoints) {
      if (endpoint.requests == 0) continue;
      endpoints.push_back({upstream.name, endpoint.label, std::to_string(endpoint.requests),
                           std::to_string(endpoint.failed_requests), std::to_string(endpoint.server_errors),
                           std::to_string(endpoint.idle)});
    }
  }
  return "\n" + table(sites) + "\n" + table(endpoints);
}

/// The rates that somebody was above; nothing where there are none.
std::string rates_table(const Overview& overview) {
  std::vector<std::vector<std::string>> rows = {{"RATE", "OF", "WHERE", "REFUSED", "DELAYED", "WAITING"}};
  for (const auto& rate : overview.rates) {
    if (rate->refused() + rate->delayed() == 0) continue;
    const guard::RateScope& scope = rate->scope();
    std::string where = scope.listener.empty() ? "(all)" : scope.listener;
    for (const std::string* part : {&scope.site, &scope.route}) {
      if (!part->empty()) where += " " + *part;
    }
    rows.push_back({rate->name(), std::string(config::word_of(rate->of())), where,
                    std::to_string(rate->refused()), std::to_string(rate->delayed()),
                    std::to_string(rate->waiting())});
  }
  return rows.size() > 1 ? "\n" + table(rows) : "";
}

}  // namespace

json status_json(const Overview& overview) {
  json status = {{"version", overview.version},
                 {"state", overview.draining ? "draining" : "serving"},
                 {"now", time_text(overview.now)},
                 {"started", time_text(overview.started)},
                 {"loaded", time_text(overview.loaded)},
                 {"uptime_seconds", uptime_seconds(overview)},
                 {"workers", overview.workers},
                 {"config_files", overview.config_files},
                 {"reloads", {{"ok", overview.reloads_ok}, {"failed", overview.reloads_failed}}},
                 {"log_lines_dropped", overview.log_lines_dropped},
                 {"connections", {{"now", overview.process.inside}, {"limit", overview.process.limit}}},
                 {"bans",
                  {{"clients", overview.bans.clients},
                   {"networks", overview.bans.networks},
                   {"displaced", overview.bans.displaced}}},
                 {"listeners", json::array()},
                 {"sites", json::array()},
                 {"upstreams", json::array()},
                 {"certificates", json::array()},
                 {"rates", json::array()}};
  for (std::size_t i = 0; overview.stages && i < overview.stages->size(); ++i) {
    status["stages"][std::string(name_of(static_cast<proxy::Stage>(i)))] = (*overview.stages)[i];
  }
  for (const auto& [name, addresses, connections, waiting] : overview.listeners) {
    status["listeners"].push_back(
        {{"name", name}, {"addresses", addresses}, {"connections", connections}, {"waiting", waiting}});
  }
  for (const auto& tally : overview.tallies)
    status["sites"].push_back(site_json(*tally, requests_of(overview, *tally)));
  for (const auto& upstream : overview.upstreams) status["upstreams"].push_back(upstream_json(upstream));
  for (const auto& certificate : overview.certificates)
    status["certificates"].push_back(certificate_json(certificate));
  for (const auto& rate : overview.rates) status["rates"].push_back(rate_json(*rate));
  return status;
}

std::string status_text(const Overview& overview) {
  std::string text =
      fmt::format("Lockgate {}, {} for {}, since {}, {} worker{}\n", overview.version,
                  overview.draining ? "draining, up" : "serving", duration_text(uptime_seconds(overview)),
                  time_text(overview.started), overview.workers, overview.workers == 1 ? "" : "s");
  text += fmt::format(
      "configuration: {}, read {}; {} reloads, {} failed\n",
      overview.config_files.empty() ? "from flags" : fmt::format("{}", fmt::join(overview.config_files, " ")),
      time_text(overview.loaded), overview.reloads_ok + overview.reloads_failed, overview.reloads_failed);
  text += connections_line(overview);
  if (overview.bans.clients + overview.bans.networks > 0)
    text += fmt::format("banned: {} clients, {} networks\n", overview.bans.clients, overview.bans.networks);
  if (overview.log_lines_dropped > 0)
    text += fmt::format("log lines dropped: {}\n", overview.log_lines_dropped);
  return text + "\n" + listeners_table(overview) + "\n" + sites_table(overview) + "\n" +
         upstreams_table(overview) + faults(overview) + requests_tables(overview) + rates_table(overview) +
         certificates_table(overview);
}

}  // namespace lockgate::server
