// BannedNetworks: networks that are banned by hand, each until its time. Immutable; made anew
// with every change, which is the operator's.
#pragma once
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace lockgate::guard {

struct BannedNetwork {
  Network network;
  Instant until = kNever;
};

class BannedNetworks {
 public:
  BannedNetworks() = default;
  explicit BannedNetworks(const std::vector<BannedNetwork>& networks);

  /// Looks once for each length of prefix that there is.
  bool holds(const Ip& ip, Instant now) const;
  bool empty() const { return groups_.empty(); }

 private:
  struct Member {
    Ip ip;
    Instant until;
  };
  struct Group {  // of one family and one length
    Ip::Family family;
    int prefix;
    std::vector<Member> members;  // by address
  };
  std::vector<Group> groups_;
};

}  // namespace lockgate::guard
