// The configuration in effect, as YAML that reads back to the same.
//
// Written in full are the top level, upstreams and listeners; a site shows only what
// differs from its listener. Includes are resolved. Any thread.
#pragma once
#include <string>

#include "config/config.h"

namespace lockgate::config {

std::string print(const Config& config);

}  // namespace lockgate::config
