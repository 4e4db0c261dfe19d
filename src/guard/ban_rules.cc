#include "guard/ban_rules.h"

#include <algorithm>
#include <functional>

namespace lockgate::guard {
namespace {

// Whoever need not send a PROXY header is banned as itself when it sends none. The packet filter cannot see
// whether one will come, and would drop those with it for whom it speaks.
std::vector<Network> never_banned(const config::Config& config) {
  std::vector<Network> networks = config.bans.except;
  auto add = [&](const std::vector<Network>& more) {
    networks.insert(networks.end(), more.begin(), more.end());
  };
  for (const config::Listener& listener : config.listeners) {
    add(listener.accept_proxy_protocol.from);
    if (config.bans.nftables.on()) add(listener.accept_proxy_protocol.optional_from);
    add(listener.trusted_proxies.from);
  }
  return networks;
}

}  // namespace

BanRules::BanRules(const config::Config& config, Bans& bans)
    : bans_(&bans), remember_(config.bans.remember), except_(never_banned(config)) {
  for (const config::BanRule& rule : config.bans.rules) {
    rules_[static_cast<std::size_t>(rule.on)].push_back({&rule, std::hash<std::string>()(rule.name)});
    for (const config::StatusRange& range : rule.statuses) {
      for (std::uint32_t status = range.first; status <= range.last; ++status) statuses_.set(status);
    }
  }
}

void BanRules::note(Event event, const Ip& client, Instant now) const {
  for (const Rule& rule : rules_[static_cast<std::size_t>(event)]) count(rule, client, now);
}

void BanRules::note_status(int status, const Ip& client, Instant now) const {
  auto number = static_cast<std::uint32_t>(status);
  if (number >= kStatuses || !statuses_.test(number)) return;
  for (const Rule& rule : rules_[static_cast<std::size_t>(Event::status)]) {
    auto holds = [&](const config::StatusRange& range) { return range.contains(number); };
    if (std::ranges::any_of(rule.config->statuses, holds)) count(rule, client, now);
  }
}

void BanRules::note_trap(std::string_view name, const Ip& client, Instant now) const {
  for (const Rule& rule : rules_[static_cast<std::size_t>(Event::trap)]) {
    if (rule.config->name == name) count(rule, client, now);
  }
}

bool BanRules::is_excepted(const Ip& client) const {
  return std::ranges::any_of(except_, [&](const Network& network) { return network.contains(client); });
}

bool BanRules::is_excepted(const Network& network) const {
  return std::ranges::any_of(except_, [&](const Network& one) {
    return one.prefix() <= network.prefix() && one.contains(network.ip());
  });
}

void BanRules::count(const Rule& rule, const Ip& client, Instant now) const {
  if (!is_excepted(client)) bans_->count(client, *rule.config, rule.number, remember_, now);
}

}  // namespace lockgate::guard
