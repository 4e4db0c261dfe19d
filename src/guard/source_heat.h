// SourceHeat: how often whoever asks has asked lately without having been right. A source is
// an IPv4 address, or a /64 of IPv6 and, added to it, its /48: who owns that has 65,536 of the
// former, none of which was ever seen.
//
// In bounded memory: some share a number, and all fade. Of whoever locks it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/keyed_hash.h"

namespace lockgate::guard {

/// Where the numbers of a source are; both the same if it has but one.
struct HeatPlace {
  std::uint32_t client = 0, network = 0;
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
  std::uint32_t index_of(Bytes bytes) const;

  HashSecret key_{};
  std::vector<std::uint8_t> heats_;
  Instant faded_{};
};

}  // namespace lockgate::guard
