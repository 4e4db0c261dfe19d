// Values of rates as the operator writes them: "10/min", "4MB", "client".
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "config/template.h"
#include "config/values.h"
#include "config/values_http.h"

namespace lockgate::config {
namespace {

using std::unexpected;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array<Unit, 6> kByteUnits{{{"KB", 1'000},
                                          {"KiB", 1 << 10},
                                          {"MB", 1'000'000},
                                          {"MiB", 1 << 20},
                                          {"GB", 1'000'000'000},
                                          {"GiB", 1 << 30}}};
constexpr std::uint64_t kMostAmount = std::uint64_t{1} << 42;
constexpr std::string_view kFieldPrefix = "field:";

constexpr std::array<std::pair<std::string_view, RateKey::Kind>, 6> kKeyWords{
    {{"client", RateKey::Kind::client},
     {"user", RateKey::Kind::user},
     {"site", RateKey::Kind::site},
     {"listener", RateKey::Kind::listener},
     {"connection", RateKey::Kind::connection},
     {"everything", RateKey::Kind::everything}}};

std::optional<Quantity> quantity_in(std::string_view text) {
  Quantity quantity;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), quantity.amount);
  if (fault != std::errc() || end == text.data()) return {};
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (!unit.empty()) {
    auto known = std::ranges::find(kByteUnits, unit, &Unit::name);
    bool fits = known != kByteUnits.end() &&
                !__builtin_mul_overflow(quantity.amount, known->factor, &quantity.amount);
    if (!fits) return {};
    quantity.of_bytes = true;
  }
  if (quantity.amount == 0 || quantity.amount > kMostAmount) return {};
  return quantity;
}

Misfit no_key(std::string hint) {
  return {
      "client, user, site, listener, connection, everything, a field such as field:X-Api-Key or a text "
      "with variables such as $path",
      std::move(hint)};
}

}  // namespace

template <>
Outcome<Quantity> parse_value(std::string_view text, const Form&) {
  if (auto quantity = quantity_in(text)) return *quantity;
  return unexpected(Misfit{"a number such as 5, or of bytes such as 4MB or 64KiB", ""});
}

// The time is a unit alone, or some of them: 1/s, 5/10s.
template <>
Outcome<Pace> parse_value(std::string_view text, const Form&) {
  Misfit misfit{"a number and a time such as 10/s, 100/min, 5000/h or 1MB/s", ""};
  auto slash = text.find('/');
  if (slash == std::string_view::npos) return unexpected(misfit);
  auto quantity = quantity_in(text.substr(0, slash));
  std::string time(text.substr(slash + 1));
  if (!time.empty() && (time[0] < '0' || time[0] > '9')) time.insert(0, "1");
  auto period = parse_value<Duration>(time, kSome);
  if (!quantity || !period) return unexpected(misfit);
  constexpr Duration kLongest = std::chrono::days(366);
  if (*period > kLongest) {
    misfit.hint = "a year is the longest";
    return unexpected(misfit);
  }
  return Pace{.quantity = *quantity, .period = *period};
}

template <>
Outcome<RateKey> parse_value(std::string_view text, const Form&) {
  std::vector<std::string_view> words;
  for (const auto& [word, kind] : kKeyWords) {
    if (word == text) return RateKey{.kind = kind, .text = {}};
    words.push_back(word);
  }
  if (text.starts_with(kFieldPrefix)) {
    auto name = parse_http_text(text.substr(kFieldPrefix.size()), As::field_name);
    if (!name) return unexpected(no_key("behind the colon stands the name of a field"));
    if (is_of_connection(*name)) return unexpected(no_key("it is of the connection; `$host` is known, too"));
    return RateKey{.kind = RateKey::Kind::field, .text = std::move(*name)};
  }
  if (!text.contains('$')) return unexpected(no_key(nearest(text, words)));
  auto parsed = parse_template(text);
  if (!parsed) return unexpected(no_key(parsed.error().hint));
  if (last_capture(*parsed) > 0) return unexpected(no_key("groups of `path_regex` are not known here"));
  return RateKey{.kind = RateKey::Kind::text, .text = std::string(text)};
}

std::string value_text(const Quantity& value, const Form&) {
  if (value.amount == 0) return "";
  const Unit* best = nullptr;
  for (const Unit& unit : kByteUnits) {
    if (value.of_bytes && value.amount % unit.factor == 0 && (!best || unit.factor > best->factor))
      best = &unit;
  }
  if (!best) return fmt::format("{}", value.amount);
  return fmt::format("{}{}", value.amount / best->factor, best->name);
}

std::string value_text(const Pace& value, const Form& form) {
  if (value.quantity.amount == 0) return "";
  std::string time = value_text(value.period, form);
  bool one = time.starts_with('1') && time.size() > 1 && (time[1] < '0' || time[1] > '9');
  return fmt::format("{}/{}", value_text(value.quantity, form), one ? time.substr(1) : time);
}

std::string value_text(const RateKey& value, const Form&) {
  if (value.kind == RateKey::Kind::field) return std::string(kFieldPrefix) + value.text;
  if (value.kind == RateKey::Kind::text) return value.text;
  auto word = std::ranges::find(kKeyWords, value.kind, &std::pair<std::string_view, RateKey::Kind>::second);
  return std::string(word->first);
}

}  // namespace lockgate::config
