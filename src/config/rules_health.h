// Rules between options of health checks, ejection and slow start.
//
// As in rules.h: applied to a configuration that was read without a mistake. Pure.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// A request on trial where there is nobody to ask by HTTP, or where nobody would ask; what only such a
/// request has without one; a slow start that nothing would come of.
void check_health_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

}  // namespace lockgate::config
