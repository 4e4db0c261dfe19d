// Dialling: a connection to one endpoint of an upstream, dressed as its site asks.
#pragma once
#include "loop/task.h"
#include "net/stream.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"

namespace lockgate::proxy {

struct Dialled {
  net::AnyStream stream;
  AtEndpoint at;
};

/// Tries endpoints, each for the upstream's try_timeout and all together until `deadline`, and notes address
/// and attempts in the facts. `no_endpoint` if none may be tried, otherwise the last one's error.
loop::Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, Facts& facts,
                         Instant deadline);

}  // namespace lockgate::proxy
