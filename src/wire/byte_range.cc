#include "wire/byte_range.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

/// A number that is too large for 64 bits is the largest one: no file is as long as either.
std::optional<std::uint64_t> read_number(std::string_view text) {
  if (text.empty() || !is_all(kOfNumber, text)) return {};
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc::result_out_of_range ? UINT64_MAX : number;
}

ByteRange part(std::uint64_t first, std::uint64_t size) {
  return {.kind = ByteRange::Kind::part, .first = first, .size = size};
}

}  // namespace

ByteRange read_byte_range(std::string_view value, std::uint64_t size) {
  const ByteRange whole{.size = size};
  constexpr std::string_view kUnit = "bytes=";
  if (value.size() < kUnit.size() || !equal_in_any_case(value.substr(0, kUnit.size()), kUnit)) return whole;
  std::string_view range = trimmed(value.substr(kUnit.size()));
  auto dash = range.find('-');
  if (dash == range.npos) return whole;
  std::string_view before = range.substr(0, dash), behind = range.substr(dash + 1);
  auto first = read_number(before), last = read_number(behind);
  bool well_formed =
      before.empty() ? last.has_value() : first && (behind.empty() || (last && *last >= *first));
  if (!well_formed) return whole;
  if (before.empty()) {
    if (*last == 0) return {.kind = ByteRange::Kind::none};
    if (size == 0) return whole;  // all of nothing, for which a part has no words
    std::uint64_t count = std::min(*last, size);
    return part(size - count, count);
  }
  if (*first >= size) return {.kind = ByteRange::Kind::none};
  std::uint64_t end = behind.empty() ? size - 1 : std::min(*last, size - 1);
  return part(*first, end - *first + 1);
}

}  // namespace lockgate::wire
