#include "proxy/front_proxy.h"

#include <algorithm>

namespace lockgate::proxy {
namespace {

bool holds(const std::vector<Network>& networks, const Ip& ip) {
  return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(ip); });
}

}  // namespace

bool speaks_for_others(const config::Listener& listener, const Ip& ip) {
  return holds(listener.accept_proxy_protocol.from, ip) ||
         holds(listener.accept_proxy_protocol.optional_from, ip) || holds(listener.trusted_proxies.from, ip);
}

bool is_judged(const config::Listener& listener, const Facts& facts) {
  bool named = facts.client != facts.peer;
  if (named) return !holds(listener.trusted_proxies.from, facts.client.ip());
  return !speaks_for_others(listener, facts.client.ip());
}

bool is_judged(const RequestFacts& facts) {
  if (facts.client.ip() != facts.connection.client.ip()) return true;
  return !facts.through_proxy && is_judged(*facts.listener.listener, facts.connection);
}

}  // namespace lockgate::proxy
