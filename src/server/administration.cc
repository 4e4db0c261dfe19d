#include "server/administration.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace lockgate::server {
namespace {

using proxy::Administration;

constexpr std::array<std::pair<std::string_view, std::optional<Administration>>, 4> kActions{
    {{"drain", Administration::draining},
     {"disable", Administration::disabled},
     {"enable", Administration::enabled},
     {"look", std::nullopt}}};

AdministrationAnswer refusal(std::string message) {
  return {.json = {{"ok", false}, {"message", std::move(message)}}};
}

/// All that the keeper keeps under a name; an upstream that a reload has changed is kept twice for a while,
/// with the same endpoints.
struct Found {
  std::set<std::string> upstreams, endpoints;  // the names that there are
  std::shared_ptr<proxy::Endpoint> endpoint;
};

Found find(const proxy::Keeper& keeper, const AdministrationRequest& request) {
  Found found;
  keeper.each([&](const proxy::Upstream& upstream, const proxy::Targets* targets) {
    found.upstreams.insert(upstream.config.name);
    if (upstream.config.name != request.upstream || !targets) return;
    for (const proxy::Target& target : *targets) {
      found.endpoints.insert(target.endpoint->label());
      if (target.endpoint->label() == request.endpoint) found.endpoint = target.endpoint;
    }
  });
  return found;
}

std::string listed(const std::set<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

AdministrationAnswer administer_endpoint(const proxy::Keeper& keeper, const AdministrationRequest& request,
                                         Instant now) {
  const auto* action = std::ranges::find(kActions, request.action, [](const auto& one) { return one.first; });
  if (action == kActions.end()) return refusal("the action is one of drain, disable, enable, look");
  Found found = find(keeper, request);
  if (!found.upstreams.contains(request.upstream)) {
    return refusal(
        fmt::format("there is no upstream \"{}\"; there are: {}", request.upstream, listed(found.upstreams)));
  }
  if (!found.endpoint) {
    return refusal(fmt::format("upstream {} has no endpoint \"{}\"; it has: {}", request.upstream,
                               request.endpoint, listed(found.endpoints)));
  }
  proxy::Endpoint& endpoint = *found.endpoint;
  bool changed = action->second && endpoint.administration() != *action->second;
  if (changed) endpoint.administer(*action->second, now);
  std::uint64_t idle = 0;
  for (const proxy::Endpoint::Row& row : endpoint.rows()) idle += row.idle.value();
  std::uint64_t connections = endpoint.connections() + idle;
  std::string_view state = name_of(endpoint.administration());
  return {.json = {{"ok", true},
                   {"message", fmt::format("endpoint {} of upstream {} is {}{}; connections now: {}",
                                           request.endpoint, request.upstream,
                                           changed || !action->second ? "" : "already ", state, connections)},
                   {"administration", state},
                   {"connections", connections}},
          .endpoint = found.endpoint,
          .changed = changed};
}

}  // namespace lockgate::server
