// Rules of who may enter that concern several sections: what is required must be
// something that can be known there.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// Whether it is asked who comes at all. What only leads to https leaves that to what is there: a password
/// must not be asked for on the way.
inline bool is_guarded(const Route& route) {
  return route.action != RouteAction::redirect || route.redirect.written != "https";
}

void check_access_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

/// Warnings of routes that ask for passwords, those of forms included, where anybody on the way can read
/// them.
std::vector<Diagnostic> passwords_in_the_open(const Listener& listener);

/// Warnings of forms to sign up that only those can see who have signed in.
std::vector<Diagnostic> forms_out_of_reach(const Site& site);

}  // namespace lockgate::config
