#include "config/values_require.h"

#include <algorithm>
#include <array>

#include "base/regex.h"
#include "config/values_http.h"

namespace lockgate::config {
namespace {

using std::unexpected;

constexpr std::array kDays{"mon"sv, "tue"sv, "wed"sv, "thu"sv, "fri"sv, "sat"sv, "sun"sv};
constexpr std::size_t kFingerprintDigits = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Outcome<std::string> parse_field_or_off(std::string_view text) {
  if (is_off(text)) return std::string();
  std::string_view instead = instead_of_editing(text);
  auto name = parse_http_text(text, As::field_name);
  if (name && instead.empty()) return name;
  return unexpected(Misfit{"the name of a field such as X-Remote-User, or off", std::string(instead)});
}

Outcome<std::string> parse_text_or_regex(std::string_view text) {
  constexpr auto kExpected = "a name such as CN=ann,O=Example, or ~ and a regular expression (RE2)";
  if (text.empty()) return unexpected(Misfit{kExpected, ""});
  if (text.starts_with('~')) {
    auto regex = Regex::compile(text.substr(1));
    if (!regex || text.size() == 1) return unexpected(Misfit{kExpected, regex ? "" : regex.error()});
  }
  return parse_http_text(text, As::field_value);
}

/// With or without the colons of other programs.
Outcome<std::string> parse_fingerprint(std::string_view text) {
  std::string digits;
  for (char c : text) {
    if (c != ':') digits += lowered(c);
  }
  bool good = digits.size() == kFingerprintDigits &&
              std::ranges::all_of(digits, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (good) return digits;
  return unexpected(Misfit{"a SHA-256 in 64 hexadecimal digits",
                           "`lockgate certificate inspect` shows that of a certificate"});
}

std::size_t number_of_day(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), lowered);
  return static_cast<std::size_t>(std::ranges::find(kDays, lower) - kDays.begin());
}

}  // namespace

Outcome<std::string> parse_access_text(std::string_view text, As as) {
  if (as == As::field_or_off) return parse_field_or_off(text);
  return as == As::fingerprint ? parse_fingerprint(text) : parse_text_or_regex(text);
}

template <>
Outcome<Weekdays> parse_value(std::string_view text, const Form&) {
  auto dash = std::min(text.find('-'), text.size());
  std::size_t first = number_of_day(text.substr(0, dash));
  std::size_t last = dash == text.size() ? first : number_of_day(text.substr(dash + 1));
  if (first < kDays.size() && last < kDays.size())
    return Weekdays{static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last)};
  return unexpected(Misfit{"a day such as mon, or days such as mon-fri", ""});
}

std::string value_text(const Weekdays& value, const Form&) {
  std::string text(kDays.at(value.first));
  return value.first == value.last ? text : fmt::format("{}-{}", text, kDays.at(value.last));
}

template <>
Outcome<TimeOfDay> parse_value(std::string_view text, const Form&) {
  bool shaped = text.size() == 5 && text[2] == ':' && is_digit(text[0]) && is_digit(text[1]) &&
                is_digit(text[3]) && is_digit(text[4]);
  auto number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  int minutes = shaped && number(3) < 60 ? number(0) * 60 + number(3) : -1;
  if (minutes >= 0 && minutes <= TimeOfDay::kMidnightAfter)
    return TimeOfDay{static_cast<std::uint16_t>(minutes)};
  return unexpected(
      Misfit{"a time of the day such as \"08:00\", from 00:00 to 24:00", "in quotes, as YAML has it"});
}

std::string value_text(const TimeOfDay& value, const Form&) {
  return fmt::format("{:02}:{:02}", value.minutes / 60, value.minutes % 60);
}

}  // namespace lockgate::config
