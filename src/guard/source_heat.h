// SourceHeat: how often whoever asks has asked lately without having been right. A source is
// an IPv4 address, or a /64 of IPv6 and, added to it, its /48: who owns that has 65,536 of the
// former, none of which was ever seen.
//
// In bounded memory: each has two numbers, of which the lower counts; some share one, hardly any both, and
// all fade. Of whoever locks it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/keyed_hash.h"

namespace lockgate::guard {

/// Where the numbers of a source are; client and network are the same if it is but one.
struct HeatPlace {
  using Numbers = std::array<std::uint32_t, 2>;
  Numbers client{}, network{};
};

class SourceHeat {
 public:
  SourceHeat();

  /// Of those who have no address, as at a Unix socket, the name (hashed) is all that tells them apart.
  HeatPlace place_of(const Ip& ip, std::uint64_t name) const;
  unsigned at(const HeatPlace& place) const;
  /// It has asked.
  void warm(const HeatPlace& place);
  /// It was right with what it asked.
  void excuse(const HeatPlace& place);
  /// Halves all now and then.
  void fade(Instant now);

 private:
  HeatPlace::Numbers numbers_of(Bytes bytes) const;
  unsigned lower(const HeatPlace::Numbers& numbers) const;

  HashSecret key_{};
  std::vector<std::uint8_t> heats_;
  Instant faded_{};
};

}  // namespace lockgate::guard
