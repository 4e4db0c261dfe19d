#include "base/network_set.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace lockgate {
namespace {

constexpr int kHalf = 64;

template <class Key>
struct Stretch {
  Key first, last;
};

// Where what the stretches cover begins and ends; what reaches to the last address of all has no end.
template <class Key>
std::vector<Key> edges_of(std::vector<Stretch<Key>> stretches) {
  std::ranges::sort(stretches, {}, &Stretch<Key>::first);
  std::vector<Key> edges;
  for (std::size_t i = 0; i < stretches.size();) {
    auto [first, last] = stretches[i];
    auto touches = [&](const Stretch<Key>& next) { return next.first <= last || next.first - last == 1; };
    for (++i; i < stretches.size() && touches(stretches[i]); ++i) last = std::max(last, stretches[i].last);
    edges.push_back(first);
    if (last != static_cast<Key>(~Key{0})) edges.push_back(last + 1);
  }
  return edges;
}

/// The addresses of `bits` bits, the leading `prefix` of which are those of `number`.
template <class Key>
Stretch<Key> stretch_of(Key number, int prefix, int bits) {
  Key rest = prefix == 0 ? ~Key{0} : prefix == bits ? Key{0} : static_cast<Key>(~Key{0}) >> prefix;
  return {static_cast<Key>(number & ~rest), static_cast<Key>(number | rest)};
}

}  // namespace

NetworkSet::NetworkSet(std::span<const Network> networks) {
  std::vector<Stretch<std::uint32_t>> v4;
  std::vector<Stretch<std::uint64_t>> v6;
  std::vector<Stretch<Wide>> longest;
  for (const Network& network : networks) {
    Wide number = number_of(network.ip());
    int prefix = network.prefix();
    if (network.ip().is_v4())
      v4.push_back(stretch_of(static_cast<std::uint32_t>(number), prefix, 32));
    else if (network.ip().is_v6() && prefix <= kHalf)
      v6.push_back(stretch_of(static_cast<std::uint64_t>(number >> kHalf), prefix, kHalf));
    else if (network.ip().is_v6())
      longest.push_back(stretch_of(number, prefix, 2 * kHalf));
  }
  v4_ = OrderedKeys(edges_of(std::move(v4)));
  v6_ = OrderedKeys(edges_of(std::move(v6)));
  longest_ = OrderedKeys(edges_of(std::move(longest)));
}

bool NetworkSet::contains(const Ip& ip) const {
  auto is_inside = [](std::size_t edges) { return edges % 2 == 1; };
  Wide number = number_of(ip);
  if (ip.is_v4()) return is_inside(v4_.count_up_to(static_cast<std::uint32_t>(number)));
  if (!ip.is_v6()) return false;
  return is_inside(v6_.count_up_to(static_cast<std::uint64_t>(number >> kHalf))) ||
         is_inside(longest_.count_up_to(number));
}

}  // namespace lockgate
