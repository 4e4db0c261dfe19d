#include "wire/basic.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/utf8.h"
#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 64;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

// RFC 4648, 4. Padding may be left out, as RFC 9110's token68 has it; bits behind the last byte are zero, so
// that a text has one form only.
std::optional<std::string_view> decode(std::string_view text, std::span<char> room) {
  bool padded = text.size() % 4 == 0;
  for (int i = 0; i < 2 && padded && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return {};
  std::uint32_t bits = 0;
  int count = 0;
  char* end = room.data();
  for (char c : text) {
    std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNone) return {};
    bits = (bits << 6) | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    *end++ = static_cast<char>((bits >> count) & 0xff);
    bits &= (1U << count) - 1;
  }
  if (bits != 0) return {};
  return std::string_view(room.data(), end);
}

}  // namespace

std::optional<BasicCredentials> read_basic(std::string_view field, std::span<char> room) {
  constexpr std::string_view kScheme = "Basic";
  if (field.size() > kLongestBasic || !equal_in_any_case(field.substr(0, kScheme.size()), kScheme)) return {};
  field.remove_prefix(kScheme.size());
  if (!field.starts_with(' ')) return {};
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  auto text = decode(field, room);
  if (!text || !is_text(*text)) return {};
  auto colon = text->find(':');
  if (colon == text->npos || colon == 0) return {};
  std::string_view user = text->substr(0, colon);
  if (user.starts_with(' ') || user.ends_with(' ')) return {};
  return BasicCredentials{user, text->substr(colon + 1)};
}

std::string basic_challenge(std::string_view realm) {
  std::string challenge = "Basic realm=\"";
  for (char c : realm) {
    if (c == '"' || c == '\\') challenge += '\\';
    challenge += c;
  }
  return challenge + "\", charset=\"UTF-8\"";
}

}  // namespace lockgate::wire
