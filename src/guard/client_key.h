// The client that an address stands for, as bans know it: an IPv4 address, or the /64 of
// an IPv6 one, for who has one such address has all of its network (RFC 7721, 2).
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/address.h"

namespace lockgate::guard {

/// Never 0. IPv4 addresses are where no IPv6 network is ever assigned (0000::/8, RFC 4291, 2.4).
using ClientKey = std::uint64_t;

inline ClientKey client_key(const Ip& ip) {
  constexpr ClientKey kV4 = ClientKey{1} << 32;
  ClientKey key = 0;
  for (std::byte byte : ip.bytes().first(ip.is_v4() ? 4 : 8)) key = key << 8 | static_cast<ClientKey>(byte);
  if (ip.is_v4()) return kV4 | key;
  return key == 0 ? 1 : key;  // ::/64
}

/// The network of the client that `ip` belongs to.
inline Network client_network(const Ip& ip) {
  if (ip.is_v4()) return {ip, 32};
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(ip.bytes().first(8), bytes.begin());
  return {Ip::from_bytes(bytes), 64};
}

/// Whether a network is exactly that of one client.
inline bool is_client(const Network& network) { return network.prefix() == (network.ip().is_v4() ? 32 : 64); }

}  // namespace lockgate::guard
