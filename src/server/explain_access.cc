#include "server/explain_access.h"

#include <fmt/core.h>

#include "proxy/front_proxy.h"

namespace lockgate::server {
namespace {

using guard::Admission;
using nlohmann::ordered_json;

constexpr std::size_t kOnlyWorker = 0;

const char* words_of(Admission admission) {
  switch (admission) {
    case Admission::open:
      return "";
    case Admission::allowed:
      return "let in: `allow` holds the client";
    case Admission::not_denied:
      return "let in: `deny` does not hold the client";
    case Admission::denied:
      return "refused: `deny` holds the client";
    case Admission::not_allowed:
      return "refused: `allow` does not hold the client, and there is no `deny`";
  }
  return "";
}

}  // namespace

bool tell_refused_connection(ordered_json& told, const proxy::ListenerPlan& listener,
                             const proxy::SitePlan* site, const Ip& client) {
  proxy::Facts facts;
  facts.peer = facts.client = SocketAddress(client, 0);
  if (!proxy::speaks_for_itself(*listener.listener, facts)) {
    if (site) told["access"] = "a front proxy is not judged, but those for whom it speaks";
    return false;
  }
  bool at_accept = !listener.at_accept.admits(client, kOnlyWorker);
  bool by_name = site && !site->by_name.admits(client, kOnlyWorker);
  const char* when = proxy::awaits_proxy_header(*listener.listener, client)
                         ? "unless a PROXY header names another"
                         : "when it connects";
  if (at_accept)
    told["access"] = fmt::format("refused {}: no site of this listener lets the client in", when);
  else if (by_name)
    told["access"] =
        fmt::format("refused by its name: {}", words_of(site->access.admission(client, kOnlyWorker)));
  return at_accept || by_name;
}

bool tell_refused_request(ordered_json& told, const proxy::RequestFacts& facts) {
  if (!facts.site || !proxy::speaks_for_itself(facts)) return false;
  const guard::Access& access = facts.route ? facts.route->access : facts.site->access;
  tell_admission(told, access, facts.client.ip());
  if (access.admits(facts.client.ip(), kOnlyWorker)) return false;
  told["action"] = "refuse";
  told["status"] = 403;
  return true;
}

void tell_admission(ordered_json& told, const guard::Access& access, const Ip& client) {
  Admission admission = access.admission(client, kOnlyWorker);
  if (admission != Admission::open) told["access"] = words_of(admission);
}

}  // namespace lockgate::server
