// The configuration in effect, as YAML that reads back to the same.
//
// Written in full are the top level, upstreams and listeners; a site shows only what
// differs from its listener. Includes are resolved. Any thread.
#pragma once
#include <string>

#include "config/config.h"

namespace lockgate::config {

std::string print(const Config& config);
/// One section of `config` on one line; equal sections have equal texts.
std::string print(const Config& config, const TlsServer& tls);
std::string print(const Config& config, const TlsClient& tls);

}  // namespace lockgate::config
