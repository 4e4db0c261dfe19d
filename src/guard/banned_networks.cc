#include "guard/banned_networks.h"

#include <algorithm>
#include <array>

namespace lockgate::guard {
namespace {

Ip beginning(const Ip& ip, int prefix) {
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(ip.bytes(), bytes.begin());
  for (std::size_t bit = static_cast<std::size_t>(prefix); bit < ip.bytes().size() * 8; ++bit)
    bytes[bit / 8] &= ~(std::byte{0x80} >> bit % 8);
  return Ip::from_bytes(Bytes(bytes).first(ip.bytes().size()));
}

}  // namespace

BannedNetworks::BannedNetworks(const std::vector<BannedNetwork>& networks) {
  for (const auto& [network, until] : networks) {
    auto same = [&](const Group& group) {
      return group.family == network.ip().family() && group.prefix == network.prefix();
    };
    auto found = std::ranges::find_if(groups_, same);
    if (found == groups_.end())
      found = groups_.insert(groups_.end(), {network.ip().family(), network.prefix(), {}});
    found->members.push_back({beginning(network.ip(), network.prefix()), until});
  }
  for (Group& group : groups_) std::ranges::sort(group.members, {}, &Member::ip);
}

bool BannedNetworks::holds(const Ip& ip, Instant now) const {
  return std::ranges::any_of(groups_, [&](const Group& group) {
    if (group.family != ip.family()) return false;
    auto found = std::ranges::lower_bound(group.members, beginning(ip, group.prefix), {}, &Member::ip);
    return found != group.members.end() && found->ip == beginning(ip, group.prefix) && now < found->until;
  });
}

}  // namespace lockgate::guard
