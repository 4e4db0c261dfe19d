// Where a configuration has anything logged.
#pragma once
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// Every target of a log or key log that `config` names, once.
std::vector<LogTarget> log_targets(const Config& config);

}  // namespace lockgate::config
