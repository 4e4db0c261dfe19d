// What `lockgate ban`, `unban` and `bans` ask of the running process, and its answers.
// Changes nothing but the bans themselves. The process's thread.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "guard/ban_file.h"
#include "guard/ban_rules.h"

namespace lockgate::server {

/// So many bans are shown, those that end last.
inline constexpr std::size_t kMostShown = 10'000;

/// "192.0.2.1", "2001:db8::/64".
std::string name_of_banned(const Network& who);

/// `request` has "address", "for" (a duration, or "forever") and "why".
nlohmann::json ban(guard::Bans& bans, const guard::BanRules& rules, const nlohmann::json& request,
                   const guard::Clocks& clocks);
/// `request` has "address", or "all": true.
nlohmann::json unban(guard::Bans& bans, const nlohmann::json& request);
nlohmann::json list_bans(const guard::Bans& bans, const guard::Clocks& clocks);

}  // namespace lockgate::server
