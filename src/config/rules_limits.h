// Rules between the options of rates: combinations that make no sense where they stand.
//
// As in rules.h: applied to a configuration that was read without a mistake. Pure.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

void check_rate_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

}  // namespace lockgate::config
