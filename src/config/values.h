// Single values as the operator writes them, both ways: "10m", "64KiB", ":443",
// "tcp://app1:443". What parse_value() takes, value_text() gives back.
//
// A misfit is told in words that continue "`key` must be ...". Any thread.
#pragma once
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "config/field.h"
#include "config/words.h"

namespace lockgate::config {

/// Why a text is no value: what was expected, and what to do about it, which may be empty.
struct Misfit {
  std::string expected;
  std::string hint;
};
template <class T>
using Outcome = std::expected<T, Misfit>;

/// Reads a value of one word. Durations are 500ms, 5s, 10m, 2h or 1d; sizes 4096, 64KiB or 1MiB.
template <class T>
  requires(!Worded<T>)
Outcome<T> parse_value(std::string_view text, const Form& form);
template <>
Outcome<bool> parse_value(std::string_view text, const Form& form);
template <>
Outcome<std::uint32_t> parse_value(std::string_view text, const Form& form);
template <>
Outcome<std::uint64_t> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Duration> parse_value(std::string_view text, const Form& form);
template <>
Outcome<std::string> parse_value(std::string_view text, const Form& form);
template <>
Outcome<LogTarget> parse_value(std::string_view text, const Form& form);
template <>
Outcome<SocketAddress> parse_value(std::string_view text, const Form& form);
template <>
Outcome<std::optional<SocketAddress>> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Network> parse_value(std::string_view text, const Form& form);
template <>
Outcome<NamePattern> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Endpoint> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Destination> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Bind> parse_value(std::string_view text, const Form& form);
template <>
Outcome<StatusRange> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Template> parse_value(std::string_view text, const Form& form);

template <>
Outcome<Weekdays> parse_value(std::string_view text, const Form& form);
template <>
Outcome<TimeOfDay> parse_value(std::string_view text, const Form& form);

template <>
Outcome<LineForm> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Quantity> parse_value(std::string_view text, const Form& form);
template <>
Outcome<Pace> parse_value(std::string_view text, const Form& form);
template <>
Outcome<RateKey> parse_value(std::string_view text, const Form& form);

std::string value_text(bool value, const Form& form);
std::string value_text(std::uint32_t value, const Form& form);
std::string value_text(std::uint64_t value, const Form& form);
std::string value_text(Duration value, const Form& form);
std::string value_text(const std::string& value, const Form& form);
std::string value_text(const LogTarget& value, const Form& form);
std::string value_text(const SocketAddress& value, const Form& form);
std::string value_text(const std::optional<SocketAddress>& value, const Form& form);
std::string value_text(const Network& value, const Form& form);
std::string value_text(const NamePattern& value, const Form& form);
std::string value_text(const Bind& value, const Form& form);
std::string value_text(const Destination& value, const Form& form);
std::string value_text(const StatusRange& value, const Form& form);
std::string value_text(const Template& value, const Form& form);
std::string value_text(const LineForm& value, const Form& form);
std::string value_text(const Weekdays& value, const Form& form);
std::string value_text(const TimeOfDay& value, const Form& form);
std::string value_text(const Quantity& value, const Form& form);
std::string value_text(const Pace& value, const Form& form);
std::string value_text(const RateKey& value, const Form& form);

/// What is on or off may also be written as any other word for that.
bool is_on(std::string_view text);
bool is_off(std::string_view text);
/// The candidate nearest to `word` as "did you mean `...`?"; empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates);

template <Worded Enum>
Outcome<Enum> parse_value(std::string_view text, const Form&) {
  if (auto value = from_word<Enum>(text)) return *value;
  if (auto on = from_word<Enum>("on"); on && is_on(text)) return *on;
  if (auto off = from_word<Enum>("off"); off && is_off(text)) return *off;
  std::vector<std::string_view> words(kWords<Enum>.begin(), kWords<Enum>.end());
  return std::unexpected(Misfit{fmt::format("one of {}", fmt::join(words, ", ")), nearest(text, words)});
}

template <Worded Enum>
std::string value_text(Enum value, const Form&) {
  return std::string(word_of(value));
}

/// What is expected of a value, as a misfit says it.
template <class T>
std::string expectation(const Form& form) {
  for (std::string_view misfit : {"", "$\n"}) {
    if (auto parsed = parse_value<T>(misfit, form); !parsed) return parsed.error().expected;
  }
  return "a text";
}

}  // namespace lockgate::config
