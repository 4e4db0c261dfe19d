#include "server/overview.h"

#include <algorithm>
#include <map>

namespace lockgate::server {
namespace {

EndpointOverview overview_of(const proxy::Target& target, Instant now) {
  const proxy::Endpoint& endpoint = *target.endpoint;
  EndpointOverview seen{.label = endpoint.label(),
                        .addresses = {},
                        .up = endpoint.up(),
                        .ejected = endpoint.ejected(now),
                        .administration = endpoint.administration(),
                        .fault = endpoint.fault(),
                        .backup = target.backup,
                        .weight = target.weight,
                        .connections = endpoint.connections(),
                        .successes = endpoint.successes(),
                        .failures = endpoint.failures()};
  for (const proxy::Endpoint::Row& row : endpoint.rows()) {
    seen.requests += row.requests.value();
    seen.failed_requests += row.failures.value();
    seen.server_errors += row.server_errors.value();
    seen.idle += row.idle.value();
    seen.answers.add(row.answers);
  }
  for (const auto& address : target.addresses) seen.addresses.push_back(address.text());
  return seen;
}

}  // namespace

std::vector<UpstreamOverview> overview_of(const proxy::Keeper& keeper, Instant now) {
  std::map<std::string, UpstreamOverview> by_name;
  keeper.each([&](const proxy::Upstream& upstream, const proxy::Targets* targets) {
    UpstreamOverview& seen = by_name[upstream.config.name];
    const proxy::Commons& commons = *upstream.commons;
    seen.waiting = commons.queue.inside();
    seen.queued = commons.queued.load(std::memory_order_relaxed);
    seen.turned_away = commons.turned_away.load(std::memory_order_relaxed);
    seen.retries_saved = commons.retries_saved.load(std::memory_order_relaxed);
    if (!targets) return;
    seen.resolved = true;
    for (const auto& target : *targets) {
      auto is_it = [&](const EndpointOverview& other) { return other.label == target.endpoint->label(); };
      if (std::ranges::none_of(seen.endpoints, is_it)) seen.endpoints.push_back(overview_of(target, now));
    }
  });
  std::vector<UpstreamOverview> upstreams;
  for (auto& [name, seen] : by_name) {
    seen.name = name;
    upstreams.push_back(std::move(seen));
  }
  return upstreams;
}

}  // namespace lockgate::server
