#include "server/registry.h"

namespace lockgate::server {

ProcessRegistry::ProcessRegistry(proxy::Keeper& keeper, LogWriter& logs, std::size_t workers,
                                 proxy::Gate::Freed freed)
    : keeper_(keeper), logs_(logs), workers_(workers), freed_(std::move(freed)) {}

void ProcessRegistry::forget_unused() {
  std::erase_if(gates_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

std::shared_ptr<proxy::Tally> ProcessRegistry::tally(const std::string& listener, const std::string& site,
                                                     const std::string& verdict) {
  auto& tally = tallies_[listener + '\n' + site + '\n' + verdict];
  if (!tally) tally = std::make_shared<proxy::Tally>(listener, site, verdict, workers_);
  return tally;
}

std::shared_ptr<proxy::Gate> ProcessRegistry::gate(const std::string& name, std::uint32_t limit) {
  if (limit == 0) return nullptr;
  auto& gate = gates_[name];
  if (!gate) gate = std::make_shared<proxy::Gate>(limit, freed_);
  gate->set_limit(limit);
  return gate;
}

std::shared_ptr<const proxy::Upstream> ProcessRegistry::upstream(const config::Upstream& config) {
  return keeper_.keep(config, name_servers_);
}

std::uint16_t ProcessRegistry::log_target(const config::LogTarget& target) {
  return logs_.target_for(target);
}

std::vector<std::shared_ptr<const proxy::Tally>> ProcessRegistry::tallies() const {
  std::vector<std::shared_ptr<const proxy::Tally>> all;
  for (const auto& [key, tally] : tallies_) all.push_back(tally);
  return all;
}

}  // namespace lockgate::server
