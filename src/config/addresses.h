// Addresses as an operator chooses them: networks written in place, and what stands for
// more of them. Plain structs, as those of config.h.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"

namespace lockgate::config {

/// Any of these.
struct Addresses {
  std::vector<Network> networks;
  std::vector<std::uint32_t> lists;    // indices into Config::address_lists
  std::vector<std::string> countries;  // ISO 3166-1 alpha-2, "DE"
  std::vector<std::uint32_t> systems;  // numbers of autonomous systems
  bool empty() const { return networks.empty() && lists.empty() && countries.empty() && systems.empty(); }
};

}  // namespace lockgate::config
