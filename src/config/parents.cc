#include "config/parents.h"

#include <algorithm>
#include <string>

namespace lockgate::config {

bool Destination::matches(const std::string& host) const {
  auto ip = Ip::parse(host);
  if (network) return ip && network->contains(*ip);
  return names->kind() == NamePattern::Kind::any || (!ip && names->matches(host));
}

void assign_parents(Config& config) {
  auto has = [](const std::vector<Destination>& list, const std::string& host) {
    return std::ranges::any_of(list, [&](const Destination& one) { return one.matches(host); });
  };
  for (Upstream& upstream : config.upstreams) {
    for (Endpoint& endpoint : upstream.endpoints) {
      bool is_address = endpoint.kind == Endpoint::Kind::address;
      if (endpoint.kind == Endpoint::Kind::unix_path || upstream.via.index == ParentChoice::kDirect) continue;
      std::string host = is_address ? endpoint.address.ip().text() : endpoint.name;
      for (std::uint32_t i = 0; i < config.parents.size() && !endpoint.via; ++i) {
        const Parent& parent = config.parents[i];
        bool chosen = upstream.via.said() ? upstream.via.index == i : has(parent.destinations, host);
        if (chosen && !has(parent.no_proxy, host)) endpoint.via = i;
      }
    }
  }
}

}  // namespace lockgate::config
