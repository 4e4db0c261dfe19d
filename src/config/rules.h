// What the tables cannot say: rules between options, whose breach is an error.
//
// They are applied to a configuration that was read without a mistake, so that one
// mistake is told once. Pure: looks at nothing but the configuration. Throws nothing.
#pragma once
#include <string>
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// Two listeners on one address, a site that none can reach, names given twice, `peek: off` where a hello is
/// wanted.
void check_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

/// Where the other of two stands, as hints tell it.
std::string line_of(const Place& place);

}  // namespace lockgate::config
