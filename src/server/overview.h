// Overview: what this process can tell of itself at one moment.
//
// The process makes one whenever somebody asks; metrics.h and status.h write it down
// for machines and for people. It is a value: nothing in it changes any more, except
// that the tallies go on counting.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "guard/rate_tally.h"
#include "loop/task.h"
#include "proxy/facts.h"
#include "proxy/keeper.h"
#include "proxy/request_tally.h"
#include "proxy/tally.h"

namespace lockgate::server {

/// A gate: how many are inside, and how many may be; a limit of 0 is none.
struct GateOverview {
  std::uint32_t inside = 0;
  std::uint32_t limit = 0;
};

struct ListenerOverview {
  std::string name;
  std::vector<std::string> addresses;  // bound, with real ports
  std::uint64_t connections = 0;       // now
  std::uint64_t waiting = 0;           // of them, those that wait for a request
};

struct EndpointOverview {
  std::string label;
  std::vector<std::string> addresses;
  bool up = true;
  bool ejected = false;
  proxy::Administration administration = proxy::Administration::enabled;
  std::string fault{};  // why its last check failed; empty if it did not
  bool backup = false;
  std::uint32_t weight = 1;
  std::uint32_t connections = 0;  // now
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  // Of requests.
  std::uint64_t requests = 0;
  std::uint64_t failed_requests = 0;
  std::uint64_t server_errors = 0;
  std::uint64_t idle = 0;  // connections that wait for one, now
  proxy::HistogramSum answers{};
};

struct UpstreamOverview {
  std::string name;
  bool resolved = false;            // false until the resolver has answered for the first time
  std::uint32_t waiting = 0;        // for an endpoint that is not full, now
  std::uint64_t queued = 0;         // that have ever waited
  std::uint64_t turned_away = 0;    // of them and of those that could not, those that got no endpoint
  std::uint64_t retries_saved = 0;  // further tries that were above the budget
  std::vector<EndpointOverview> endpoints;
};

struct CertificateOverview {
  std::string name;  // under `certificates`
  std::string subject;
  std::string serial;
  WallTime not_after = 0;
  std::int64_t days_left = 0;
  bool stapled = false;  // clients who ask get its issuer's answer
};

struct BansOverview {
  std::uint64_t clients = 0, networks = 0;  // banned now
  std::uint64_t displaced = 0;
  std::map<std::string, std::uint64_t> totals{};  // by rule
};

struct Overview {
  std::string version;
  bool draining = false;
  WallTime now = 0;
  WallTime started = 0;
  WallTime loaded = 0;  // when the configuration in use was read
  std::vector<std::string> config_files;
  std::uint64_t reloads_ok = 0;
  std::uint64_t reloads_failed = 0;
  std::uint64_t log_lines_dropped = 0;
  std::size_t workers = 0;
  GateOverview process;
  /// Connections by proxy::Stage; none if the workers were not asked.
  std::optional<std::array<std::uint64_t, proxy::kStages>> stages;
  std::vector<ListenerOverview> listeners;
  std::vector<UpstreamOverview> upstreams;
  std::vector<CertificateOverview> certificates;  // in use
  BansOverview bans;
  /// One per listener, site and verdict; those of connections that no site took have an empty site.
  std::vector<std::shared_ptr<const proxy::Tally>> tallies;
  /// One per route, and one with an empty route for each site where requests are read.
  std::vector<std::shared_ptr<const proxy::RequestTally>> requests;
  std::vector<std::shared_ptr<const guard::RateTally>> rates;
};

/// The process, as pages and commands look at it. Its own thread.
class Observed {
 public:
  virtual ~Observed() = default;
  virtual bool draining() const = 0;
  /// May ask the workers, and so may take a moment.
  virtual loop::Task<Overview> overview() = 0;
};

/// The upstreams that a keeper keeps, by name. An upstream that a reload has changed is kept twice for as
/// long as old connections use it; it is shown once, with the endpoints of both.
std::vector<UpstreamOverview> overview_of(const proxy::Keeper& keeper, Instant now);

}  // namespace lockgate::server
