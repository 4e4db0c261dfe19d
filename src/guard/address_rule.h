// Placeholder: replaced by rules over lists, countries and autonomous systems.
#pragma once
#include <algorithm>
#include <cstddef>

#include "config/addresses.h"

namespace lockgate::guard {

class AddressRule {
 public:
  AddressRule() = default;
  explicit AddressRule(const config::Addresses& addresses) : networks_(addresses.networks) {}
  /// Whether it holds `ip`, as `worker` knows it now.
  bool contains(const Ip& ip, std::size_t) const {
    return std::ranges::any_of(networks_, [&](const Network& network) { return network.contains(ip); });
  }

 private:
  std::vector<Network> networks_;
};

}  // namespace lockgate::guard
