// Rules between options of HTTP, and what is hardly meant of routes.
//
// As in rules.h: applied to a configuration that was read without a mistake. Pure.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// An upstream for bytes and requests at once, a site that would redirect to itself, or offer protocols that
/// its routes cannot speak.
void check_http_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

/// Warnings about routes of a site that get no request, because one before takes all that they could.
std::vector<Diagnostic> unreachable_routes(const Site& site);

}  // namespace lockgate::config
