// Health checks: an endpoint is tried out the whole way that a client's connection takes,
// and, where the operator has given a path, asked for it by HTTP.
//
// The keeper's thread decides when, and what follows from it.
#pragma once
#include <optional>
#include <string>

#include "proxy/dial.h"

namespace lockgate::proxy {

/// Why `target` is not fit to be used, in words; empty if it is. `header` is the version of the PROXY header
/// that its sites send. Takes as long as the check may, and reads 64 KiB of an answer's body at the most.
loop::Task<std::string> find_fault(House& house, const OwnAddresses& own, UpstreamView& upstream,
                                   const Target& target, std::optional<wire::ProxyVersion> header);

}  // namespace lockgate::proxy
