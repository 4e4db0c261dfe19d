#include "guard/ban_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace lockgate::guard {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::string_view next_word(std::string_view& line) {
  std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

// Times of day far from now are not taken for any: instants must not run over.
std::optional<Instant> instant(std::string_view text, const Clocks& clocks) {
  if (text == "-") return kNever;
  constexpr std::int64_t kFar = 100LL * 365 * 86'400'000;
  auto wall = number<std::int64_t>(text);
  if (!wall) return {};
  std::int64_t now = clocks.wall / kMillisecond;
  if (*wall < 0 || *wall > now + kFar) return {};
  return clocks.now + Duration((*wall - now) * kMillisecond);
}

std::optional<Ban> read_line(std::string_view line, const Clocks& clocks) {
  auto who = Network::parse(next_word(line));
  auto since = instant(next_word(line), clocks), until = instant(next_word(line), clocks);
  auto times = number<std::uint32_t>(next_word(line));
  if (!who || !since || !until || !times || *times == 0) return {};
  return Ban{.who = *who, .since = *since, .until = *until, .times = *times, .why = std::string(line)};
}

}  // namespace

std::string ban_line(const Ban& ban, const Clocks& clocks) {
  auto wall = [&](Instant at) {
    if (at == kNever) return std::string("-");
    return fmt::format("{}", (clocks.wall + (at - clocks.now).count()) / kMillisecond);
  };
  std::string why = ban.why;
  std::ranges::replace(why, '\n', ' ');
  return fmt::format("{} {} {} {} {}\n", ban.who.text(), wall(ban.since), wall(ban.until), ban.times, why);
}

std::expected<KeptBans, std::string> read_ban_file(std::string_view text, const Clocks& clocks) {
  if (!text.starts_with(kBanFileTitle))
    return std::unexpected("its first line is not that of a file of bans");
  text.remove_prefix(kBanFileTitle.size());
  KeptBans kept;
  for (std::size_t number = 2; !text.empty(); ++number) {
    auto end = text.find('\n');
    auto ban = end == text.npos ? std::nullopt : read_line(text.substr(0, end), clocks);
    if (ban)
      kept.bans.push_back(std::move(*ban));
    else if (kept.bad_lines++ == 0)
      kept.first_bad = number;
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return kept;
}

}  // namespace lockgate::guard
