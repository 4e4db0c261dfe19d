// Which endpoint is reached through which parent.
#pragma once
#include "config/config.h"

namespace lockgate::config {

/// Sets `via` of each endpoint: the parent that its upstream names, or else the first that has it among its
/// destinations, unless it is among the parent's `no_proxy`.
void assign_parents(Config& config);

}  // namespace lockgate::config
