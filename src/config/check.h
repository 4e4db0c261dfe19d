// Foot-guns: what is no mistake, and yet is hardly meant. Told as warnings.
//
// Looks at this machine (users, folders of logs, limits), so it is called by `check` and
// at start, never while serving. Throws nothing.
#pragma once
#include <cstdint>
#include <vector>

#include "config/config.h"

namespace lockgate::config {

std::vector<Diagnostic> check(const Config& config);

/// Threads that serve connections: as configured, or one per core of this machine.
std::size_t worker_count(const Config& config);

/// File descriptors for as many connections as the configuration admits: two for each, and what the process
/// and its workers hold beside them. Without a limit of connections, only the latter.
std::uint64_t descriptors_needed(const Config& config);
/// How many connections so many descriptors suffice for; one at least.
std::uint32_t connections_within(const Config& config, std::uint64_t descriptors);

}  // namespace lockgate::config
