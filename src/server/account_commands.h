// What `lockgate accounts` asks of the running process, and its answers: who wants to
// become a user, and the operator's word about it. The process's thread.
#pragma once
#include <nlohmann/json.hpp>

#include "config/config.h"
#include "guard/accounts.h"

namespace lockgate::server {

/// `request` has "action": "list", "approve" or "refuse"; the latter two a "name", and all of them a "list",
/// which may be empty. The hash of a password is told only where the operator has to write it by hand.
nlohmann::json obey_about_accounts(guard::Accounts& accounts, const config::Config& config,
                                   const nlohmann::json& request);

}  // namespace lockgate::server
