// What would become of a request, for `lockgate explain`: the route, and what it does.
//
// The head is made as a client would send it, and read, routed and addressed by the very
// functions that serve requests.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/plan.h"
#include "proxy/router.h"

namespace lockgate::server {

struct AskedRequest {
  std::string method, authority, target;
  std::vector<std::string> fields;  // "Name: value"; a Host takes the place of the authority
};

/// Adds to `told` what becomes of `asked` on a connection that `taken`, where requests are read, was chosen
/// for by `connection`.
void explain_request(nlohmann::ordered_json& told, const proxy::Plan& plan,
                     const proxy::ListenerPlan& listener, const proxy::SitePlan& taken,
                     const proxy::Question& connection, const AskedRequest& asked);

}  // namespace lockgate::server
