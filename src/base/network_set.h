// NetworkSet: whether an address lies in any of many networks.
//
// What the networks cover is kept as the places where it begins and ends, in order, which
// is the prefix tree with every path pressed together: overlaps and neighbours melt into
// one. A network takes at most 9 bytes of IPv4, 19 of IPv6 up to /64 and 43 beyond that:
// a million, half of them IPv4 and half IPv6 up to /64, 14 MiB. A look costs one line of
// cache on each of at most 8 levels. Immutable; any thread.
#pragma once
#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/ip_number.h"
#include "base/ordered_keys.h"

namespace lockgate {

class NetworkSet {
 public:
  /// Holds nothing.
  NetworkSet() = default;
  explicit NetworkSet(std::span<const Network> networks);

  /// An address of IPv4 that is mapped into IPv6 is that of IPv4; a scope makes no difference.
  bool contains(const Ip& ip) const;
  /// What it takes of memory.
  std::size_t bytes() const { return v4_.bytes() + v6_.bytes() + longest_.bytes(); }

 private:
  // Odd ones begin what is covered, even ones end it. Most networks of IPv6 are told by their first half.
  OrderedKeys<std::uint32_t> v4_;
  OrderedKeys<std::uint64_t> v6_;
  OrderedKeys<Wide> longest_;  // of IPv6, beyond /64
};

}  // namespace lockgate
