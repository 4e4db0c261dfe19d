#include "server/registry.h"

namespace lockgate::server {

ProcessRegistry::ProcessRegistry(proxy::Keeper& keeper, const tls::Keyring& keyring,
                                 guard::Guardroom& guardroom, LogWriter& logs, std::size_t workers,
                                 proxy::Gate::Freed freed)
    : keeper_(keeper),
      keyring_(keyring),
      guardroom_(guardroom),
      logs_(logs),
      workers_(workers),
      freed_(std::move(freed)) {}

void ProcessRegistry::forget_unused() {
  std::erase_if(gates_, [](const auto& entry) { return entry.second.use_count() == 1; });
}

std::shared_ptr<proxy::Tally> ProcessRegistry::tally(const std::string& listener, const std::string& site,
                                                     const std::string& verdict) {
  auto& tally = tallies_[listener + '\n' + site + '\n' + verdict];
  if (!tally) tally = std::make_shared<proxy::Tally>(listener, site, verdict, workers_);
  return tally;
}

std::shared_ptr<proxy::RequestTally> ProcessRegistry::request_tally(const std::string& listener,
                                                                    const std::string& site,
                                                                    const std::string& route) {
  auto& tally = request_tallies_[listener + '\n' + site + '\n' + route];
  if (!tally) tally = std::make_shared<proxy::RequestTally>(listener, site, route, workers_);
  return tally;
}

std::shared_ptr<proxy::Gate> ProcessRegistry::gate(const std::string& name, std::uint32_t limit) {
  auto known = gates_.find(name);
  if (known != gates_.end()) known->second->set_limit(limit);  // also to 0, for those who wait at it still
  if (limit == 0) return nullptr;
  if (known == gates_.end()) known = gates_.emplace(name, std::make_shared<proxy::Gate>(limit, freed_)).first;
  return known->second;
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

std::vector<std::shared_ptr<const proxy::RequestTally>> ProcessRegistry::request_tallies() const {
  std::vector<std::shared_ptr<const proxy::RequestTally>> all;
  for (const auto& [key, tally] : request_tallies_) all.push_back(tally);
  return all;
}

}  // namespace lockgate::server
