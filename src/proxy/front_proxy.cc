#include "proxy/front_proxy.h"

#include <algorithm>

namespace lockgate::proxy {
namespace {

bool holds(const std::vector<Network>& networks, const Ip& ip) {
  return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(ip); });
}

}  // namespace

bool awaits_proxy_header(const config::Listener& listener, const Ip& peer) {
  return holds(listener.accept_proxy_protocol.from, peer) ||
         holds(listener.accept_proxy_protocol.optional_from, peer);
}

bool speaks_for_others(const config::Listener& listener, const Ip& ip) {
  return awaits_proxy_header(listener, ip) || holds(listener.trusted_proxies.from, ip);
}

bool speaks_for_itself(const config::Listener& listener, const Facts& facts) {
  bool named = facts.client != facts.peer;
  if (!named && holds(listener.accept_proxy_protocol.from, facts.peer.ip())) return false;
  return !holds(listener.trusted_proxies.from, facts.client.ip());
}

bool speaks_for_itself(const RequestFacts& facts) {
  if (facts.client.ip() != facts.connection.client.ip()) return true;
  return !facts.through_proxy && speaks_for_itself(*facts.listener.listener, facts.connection);
}

}  // namespace lockgate::proxy
