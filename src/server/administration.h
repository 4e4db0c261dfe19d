// `lockgate endpoint`: an endpoint is taken out of use by the operator, and given back.
//
// On the process's own thread. What is said of an endpoint holds for as long as any
// upstream of that name has it, over reloads, until it is said otherwise.
#pragma once
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/keeper.h"

namespace lockgate::server {

struct AdministrationRequest {
  std::string action;  // drain, disable, enable, or look to change nothing
  std::string upstream, endpoint;
};

struct AdministrationAnswer {
  nlohmann::json json;  // for the control socket: how many connections there are still
  std::shared_ptr<proxy::Endpoint> endpoint{};  // null if there is none of that name
  bool changed = false;
};

AdministrationAnswer administer_endpoint(const proxy::Keeper& keeper, const AdministrationRequest& request,
                                         Instant now);

}  // namespace lockgate::server
