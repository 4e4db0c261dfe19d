#include "guard/source_heat.h"

#include <span>

#include "base/digest.h"

namespace lockgate::guard {
namespace {

constexpr std::size_t kNumbers = 1 << 18;
constexpr Duration kFadeEvery = std::chrono::minutes(10);
constexpr std::size_t kClientBytes = 8, kNetworkBytes = 6;  // of IPv6: /64 and /48

}  // namespace

SourceHeat::SourceHeat() : heats_(kNumbers) { random_bytes(std::as_writable_bytes(std::span(key_))); }

HeatPlace SourceHeat::place_of(const Ip& ip, std::uint64_t name) const {
  if (ip.is_v6())
    return {.client = index_of(ip.bytes().first(kClientBytes)),
            .network = index_of(ip.bytes().first(kNetworkBytes))};
  std::uint32_t only = index_of(ip.is_none() ? std::as_bytes(std::span(&name, 1)) : ip.bytes());
  return {.client = only, .network = only};
}

unsigned SourceHeat::at(const HeatPlace& place) const {
  return heats_[place.client] + (place.network == place.client ? 0u : heats_[place.network]);
}

void SourceHeat::warm(const HeatPlace& place) {
  if (std::uint8_t& heat = heats_[place.client]; heat < UINT8_MAX) ++heat;
  if (place.network == place.client) return;
  if (std::uint8_t& heat = heats_[place.network]; heat < UINT8_MAX) ++heat;
}

void SourceHeat::excuse(const HeatPlace& place) {
  if (std::uint8_t& heat = heats_[place.client]; heat > 0) --heat;
  if (place.network == place.client) return;
  if (std::uint8_t& heat = heats_[place.network]; heat > 0) --heat;
}

void SourceHeat::fade(Instant now) {
  if (now - faded_ < kFadeEvery) return;
  faded_ = now;
  for (std::uint8_t& heat : heats_) heat /= 2;
}

std::uint32_t SourceHeat::index_of(Bytes bytes) const {
  return static_cast<std::uint32_t>(keyed_hash(key_, as_text(bytes)) % kNumbers);
}

}  // namespace lockgate::guard
