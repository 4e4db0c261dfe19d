// The status: an Overview for people, and the same as JSON for their scripts.
//
// Keys of the JSON stay; new ones may come. Sites are shown with what they have done
// since the process started; those that no site took are the site "".
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "server/overview.h"

namespace lockgate::server {

/// Keys: version, state ("serving" or "draining"), started, loaded and now (RFC 3339), uptime_seconds,
/// workers, config_files, reloads, log_lines_dropped, connections, stages (if known), listeners, sites,
/// upstreams.
nlohmann::json status_json(const Overview& overview);

/// Some lines and tables, for a terminal; ends with a line end.
std::string status_text(const Overview& overview);

}  // namespace lockgate::server
