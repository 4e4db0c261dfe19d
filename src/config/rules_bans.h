// Rules between options of bans, and between them and routes that are traps.
//
// As in rules.h: applied to a configuration that was read without a mistake. Pure.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// Two rules of one name, statuses where none are counted, a first ban above the longest, a trap that no rule
/// counts, a table without sets or sets without a table.
void check_ban_rules(const Config& config, std::vector<Diagnostic>& diagnostics);

}  // namespace lockgate::config
