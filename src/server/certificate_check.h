// What is to be said of the certificates that a configuration names, before clients say it.
#pragma once
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "tls/keyring.h"

namespace lockgate::server {

/// Warnings about `certificates`, which `config` has in use: what clients may object to, and names that no
/// certificate of their site has, or one of a site beside it has as well. Self-signed ones are as they are
/// meant to be.
std::vector<config::Diagnostic> check_certificates(const config::Config& config,
                                                   const std::vector<tls::InUse>& certificates, WallTime now);

}  // namespace lockgate::server
