// The metrics: an Overview in Prometheus's text format, version 0.0.4.
//
// Names and labels are promises to dashboards and alerts; they are listed in the manual
// and change only with a new name. A counter that a tally can give is there from the
// beginning, as 0, so that its first increase is seen.
#pragma once
#include <string>

#include "server/overview.h"

namespace lockgate::server {

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const Overview& overview);

}  // namespace lockgate::server
