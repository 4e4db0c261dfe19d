#include "wire/field_name.h"

#include <array>

#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

// In the order of FieldName.
constexpr std::array<std::string_view, 33> kTexts = {"",
                                                     "Age",
                                                     "Connection",
                                                     "Content-Length",
                                                     "Content-Location",
                                                     "Content-Type",
                                                     "Cookie",
                                                     "Date",
                                                     "ETag",
                                                     "Expect",
                                                     "Forwarded",
                                                     "Host",
                                                     "Keep-Alive",
                                                     "Link",
                                                     "Location",
                                                     "Proxy-Connection",
                                                     "Referer",
                                                     "Refresh",
                                                     "Server",
                                                     "Set-Cookie",
                                                     "Strict-Transport-Security",
                                                     "TE",
                                                     "Trailer",
                                                     "Transfer-Encoding",
                                                     "Upgrade",
                                                     "User-Agent",
                                                     "Via",
                                                     "X-Forwarded-For",
                                                     "X-Forwarded-Host",
                                                     "X-Forwarded-Port",
                                                     "X-Forwarded-Proto",
                                                     "X-Real-IP",
                                                     "X-Request-ID"};
static_assert(kTexts.size() == static_cast<std::size_t>(FieldName::x_request_id) + 1);

constexpr std::size_t kSlots = 128;

/// Where a name of two bytes or more stands, the same in any case. The factors were found by trying; that no
/// two of our names share a place is proved below.
constexpr std::size_t slot_of(std::string_view name) {
  auto lower = [](char c) { return static_cast<unsigned char>(c) | 0x20U; };
  return (name.size() + lower(name.front()) * 11U + lower(name[name.size() - 2]) * 3U) % kSlots;
}

consteval std::array<FieldName, kSlots> names_by_slot() {
  std::array<FieldName, kSlots> table{};
  for (std::size_t i = 1; i < kTexts.size(); ++i) {
    auto& place = table[slot_of(kTexts[i])];
    if (place != FieldName::other) throw "two names share a place";
    place = static_cast<FieldName>(i);
  }
  return table;
}
constexpr std::array<FieldName, kSlots> kBySlot = names_by_slot();

}  // namespace

FieldName field_name(std::string_view name) {
  if (name.size() < 2) return FieldName::other;
  FieldName candidate = kBySlot[slot_of(name)];
  return equal_in_any_case(name, text_of(candidate)) ? candidate : FieldName::other;
}

std::string_view text_of(FieldName name) { return kTexts[static_cast<std::size_t>(name)]; }

}  // namespace lockgate::wire
