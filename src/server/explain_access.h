// What the lists of addresses would decide about a client, for `lockgate explain`. The
// very rules are asked that connections meet.
#pragma once
#include <nlohmann/json.hpp>

#include "proxy/plan.h"
#include "proxy/request_facts.h"

namespace lockgate::server {

/// Adds to `told` where a connection from `client` is refused by its address, if it is; then nothing else
/// becomes of it. `site` is null if none takes it.
bool tell_refused_connection(nlohmann::ordered_json& told, const proxy::ListenerPlan& listener,
                             const proxy::SitePlan* site, const Ip& client);

/// The same of the client of a request, and why it is let in otherwise.
bool tell_refused_request(nlohmann::ordered_json& told, const proxy::RequestFacts& facts);

/// Why a connection that is relayed is let in.
void tell_admission(nlohmann::ordered_json& told, const guard::Access& access, const Ip& client);

}  // namespace lockgate::server
