#include "proxy/connection_rates.h"

#include <optional>

#include "guard/paced_stream.h"
#include "guard/rates.h"
#include "proxy/front_proxy.h"

namespace lockgate::proxy {
namespace {

using config::RateKey;
using config::RateOf;

/// The address that counts as the client; none of a proxy, nor of a Unix socket.
Ip client_of(const Caller& caller) {
  return speaks_for_itself(*caller.listener.listener, caller.facts) ? caller.facts.client.ip() : Ip();
}

/// Under which key the rule counts the caller; none if it does not.
std::optional<std::uint64_t> key_of(const guard::RateRule& rule, const Caller& caller) {
  if (rule.config.of == RateOf::handshakes && caller.facts.dialect != Dialect::tls) return {};
  guard::RateKey key = rule.key();
  for (const RateKey& part : rule.config.by) {
    switch (part.kind) {
      case RateKey::Kind::client:
        if (client_of(caller).is_none()) return {};
        key.add(client_of(caller));
        break;
      case RateKey::Kind::site:
        key.add(caller.site ? std::string_view(caller.site->site->name) : std::string_view());
        break;
      case RateKey::Kind::listener:
        key.add(std::string_view(caller.listener.listener->name));
        break;
      case RateKey::Kind::connection:
        key.add(caller.facts.id);
        break;
      default:  // everything: the rule alone; the others are of requests
        key.add(std::string_view());
    }
  }
  return key.value();
}

}  // namespace

const guard::RateRule* pass_rates(const House& house, const guard::RateList& rules, const Caller& caller,
                                  std::vector<guard::Counted>& counted) {
  const std::size_t counted_before = counted.size();
  Instant now = house.reactor.now();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const guard::RateRule& rule = *rules[i];
    auto key = key_of(rule, caller);
    if (!key) continue;
    bool at_once = rule.config.of == RateOf::connections;
    bool room = at_once ? rule.rates->counts().enter(*key, rule.config.most)
                        : rule.rates->table().take(*key, rule.quota, 1, now).ok;
    if (room && at_once) counted.emplace_back(rule.rates->counts(), *key);
    if (room) continue;
    while (counted.size() > counted_before) counted.pop_back();
    for (std::size_t before = 0; before < i; ++before) {
      auto other = key_of(*rules[before], caller);
      if (other && rules[before]->config.of != RateOf::connections)
        rule.rates->table().give_back(*other, rules[before]->quota, 1);
    }
    rule.rates->note_excess(rule, client_of(caller), house.worker);
    return &rule;
  }
  return nullptr;
}

net::AnyStream paced(net::AnyStream stream, const guard::RateList& rules, const Caller& caller) {
  std::vector<guard::Share> incoming, outgoing;
  for (const auto& rule : rules) {
    auto key = key_of(*rule, caller);
    if (!key) continue;
    if (rule->config.direction != config::RateDirection::down) incoming.push_back({rule, *key});
    if (rule->config.direction != config::RateDirection::up) outgoing.push_back({rule, *key});
  }
  if (incoming.empty() && outgoing.empty()) return stream;
  return std::make_unique<guard::PacedStream>(std::move(stream), std::move(incoming), std::move(outgoing));
}

Error excess_error(const guard::RateRule& rule) {
  Error error{.code = Errc::limited};
  switch (rule.config.of) {
    case RateOf::new_connections:
      error.doing = "counting new connections";
      break;
    case RateOf::handshakes:
      error.doing = "counting handshakes";
      break;
    default:
      error.doing = "counting connections";
  }
  return error;
}

}  // namespace lockgate::proxy
