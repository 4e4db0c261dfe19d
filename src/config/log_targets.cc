#include "config/log_targets.h"

#include <algorithm>

namespace lockgate::config {

std::vector<LogTarget> log_targets(const Config& config) {
  std::vector<LogTarget> targets{config.log.to};
  auto add = [&](const LogTarget& target) {
    if (std::ranges::find(targets, target) == targets.end()) targets.push_back(target);
  };
  for (const Listener& listener : config.listeners) {
    add(listener.access_log.to);
    for (const Site& site : listener.sites) {
      add(site.access_log.to);
      add(target_of(site.tls.key_log));
    }
  }
  return targets;
}

}  // namespace lockgate::config
