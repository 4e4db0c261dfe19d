// The line of a request in the access log, and what is counted of it.
#pragma once
#include "proxy/house.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// To be called once for each request, when it is over.
void finish_request(House& house, const RequestFacts& facts, const Plan& plan);

}  // namespace lockgate::proxy
