// What is to be said of the certificates that a configuration names, before clients say it.
#pragma once
#include <expected>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"

namespace lockgate::server {

/// Warnings: what clients may object to, and names that no certificate of their site has. The failure is a
/// sentence about a certificate that cannot be used at all. Self-signed ones are not looked at, for they are
/// made by the process that shows them.
std::expected<std::vector<config::Diagnostic>, std::string> check_certificates(const config::Config& config,
                                                                               WallTime now);

}  // namespace lockgate::server
