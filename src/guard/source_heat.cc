#include "guard/source_heat.h"

#include <algorithm>
#include <span>

#include "base/digest.h"

namespace lockgate::guard {
namespace {

constexpr std::size_t kNumbers = 1 << 18;
constexpr Duration kFadeEvery = std::chrono::minutes(10);
constexpr std::size_t kClientBytes = 8, kNetworkBytes = 6;  // of IPv6: /64 and /48

// Each number of a source once.
void change(std::vector<std::uint8_t>& heats, const HeatPlace& place, void (*how)(std::uint8_t&)) {
  for (std::uint32_t number : place.client) how(heats[number]);
  if (place.network == place.client) return;
  for (std::uint32_t number : place.network) how(heats[number]);
}

}  // namespace

SourceHeat::SourceHeat() : heats_(kNumbers) { random_bytes(std::as_writable_bytes(std::span(key_))); }

HeatPlace SourceHeat::place_of(const Ip& ip, std::uint64_t name) const {
  if (ip.is_v6())
    return {.client = numbers_of(ip.bytes().first(kClientBytes)),
            .network = numbers_of(ip.bytes().first(kNetworkBytes))};
  auto only = numbers_of(ip.is_none() ? std::as_bytes(std::span(&name, 1)) : ip.bytes());
  return {.client = only, .network = only};
}

unsigned SourceHeat::at(const HeatPlace& place) const {
  return lower(place.client) + (place.network == place.client ? 0u : lower(place.network));
}

void SourceHeat::warm(const HeatPlace& place) {
  change(heats_, place, [](std::uint8_t& heat) {
    if (heat < UINT8_MAX) ++heat;
  });
}

void SourceHeat::excuse(const HeatPlace& place) {
  change(heats_, place, [](std::uint8_t& heat) {
    if (heat > 0) --heat;
  });
}

void SourceHeat::fade(Instant now) {
  if (now - faded_ < kFadeEvery) return;
  faded_ = now;
  for (std::uint8_t& heat : heats_) heat /= 2;
}

HeatPlace::Numbers SourceHeat::numbers_of(Bytes bytes) const {
  std::uint64_t hash = keyed_hash(key_, as_text(bytes));
  return {static_cast<std::uint32_t>(hash % kNumbers), static_cast<std::uint32_t>((hash >> 32) % kNumbers)};
}

unsigned SourceHeat::lower(const HeatPlace::Numbers& numbers) const {
  return std::min(heats_[numbers[0]], heats_[numbers[1]]);
}

}  // namespace lockgate::guard
