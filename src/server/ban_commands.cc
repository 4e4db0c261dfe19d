#include "server/ban_commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/time_text.h"
#include "config/values.h"
#include "guard/account_request.h"

namespace lockgate::server {

using guard::Ban;
using nlohmann::json;

namespace {

json refusal(std::string message) { return {{"ok", false}, {"message", std::move(message)}}; }

std::string text_of(const json& request, const char* name) {
  auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : "";
}

// A lone address stands for the client that it belongs to.
std::optional<Network> network_of(const std::string& text) {
  if (text.contains('/')) return Network::parse(text);
  auto ip = Ip::parse(text);
  return ip ? std::optional(guard::client_network(*ip)) : std::nullopt;
}

json no_address(const std::string& text) {
  return refusal(
      fmt::format("\"{}\" is no address and no network such as 192.0.2.0/24 or 2001:db8::/48", text));
}

std::string seconds_text(Duration left) {
  return fmt::format("{} s", std::chrono::ceil<std::chrono::seconds>(left).count());
}

}  // namespace

std::string name_of_banned(const Network& who) {
  return who.ip().is_v4() && who.prefix() == 32 ? who.ip().text() : who.text();
}

json ban(guard::Bans& bans, const guard::BanRules& rules, const json& request, const guard::Clocks& clocks) {
  std::string address = text_of(request, "address"), time = text_of(request, "for"),
              why = text_of(request, "why");
  auto who = network_of(address);
  if (!who) return no_address(address);
  if (rules.is_excepted(*who))
    return refusal(
        fmt::format("{} is never banned: it is in `bans.except`, or a proxy in front that is trusted",
                    name_of_banned(*who)));
  // It is shown on terminals, and a ban is a line of its file.
  if (!guard::is_line_of_text(why))
    return refusal("--why must be UTF-8 without control or invisible characters");
  Instant until = kNever;
  if (time != "forever") {
    auto duration = config::parse_value<Duration>(time, config::kSome);
    if (!duration) return refusal(fmt::format("--for must be {}, or forever", duration.error().expected));
    until = clocks.now + *duration;
  }
  if (!bans.ban({.who = *who, .since = clocks.now, .until = until, .why = std::move(why)}, clocks.now))
    return refusal(
        fmt::format("there are {} networks already, which is the most", guard::Bans::kMostNetworks));
  std::string message = fmt::format("{} is banned {}", name_of_banned(*who),
                                    until == kNever ? "until it is lifted" : "for " + time);
  return {{"ok", true}, {"message", std::move(message)}};
}

json unban(guard::Bans& bans, const json& request) {
  std::size_t lifted = 0;
  std::string address = text_of(request, "address");
  if (request.contains("all") && request["all"] == true) {
    lifted = bans.lift_if([](const Network&) { return true; });
  } else {
    auto who = network_of(address);
    if (!who) return no_address(address);
    lifted = bans.lift(*who);
    if (lifted == 0) return refusal(fmt::format("{} is not banned", name_of_banned(*who)));
  }
  return {{"ok", true},
          {"message", fmt::format("{} ban{} lifted", lifted, lifted == 1 ? "" : "s")},
          {"lifted", lifted}};
}

json list_bans(const guard::Bans& bans, const guard::Clocks& clocks) {
  std::vector<Ban> listed = bans.list(kMostShown);
  std::erase_if(listed, [&](const Ban& one) { return one.until <= clocks.now; });
  std::size_t all = std::max(bans.size() + bans.networks_banned(), listed.size());
  json entries = json::array();
  std::string text;
  for (const Ban& one : listed) {
    bool for_ever = one.until == kNever;
    WallTime since = clocks.wall + (one.since - clocks.now).count();
    std::string left = for_ever ? "until lifted" : seconds_text(one.until - clocks.now);
    json entry = {{"who", name_of_banned(one.who)},
                  {"since", time_text(since)},
                  {"times", one.times},
                  {"why", one.why}};
    if (!for_ever) {
      entry["until"] = time_text(clocks.wall + (one.until - clocks.now).count());
      entry["seconds_left"] = std::chrono::ceil<std::chrono::seconds>(one.until - clocks.now).count();
    }
    text += fmt::format("{:<24} {:>14} {:>5}  {}\n", name_of_banned(one.who), left, one.times, one.why);
    entries.push_back(std::move(entry));
  }
  std::string title =
      listed.empty() ? "" : fmt::format("{:<24} {:>14} {:>5}  {}\n", "WHO", "LEFT", "TIMES", "WHY");
  if (all > listed.size()) text += fmt::format("and {} more, which end before these\n", all - listed.size());
  if (listed.empty()) text = "nobody is banned\n";
  return {{"ok", true}, {"message", title + text}, {"bans", std::move(entries)}, {"count", all}};
}

}  // namespace lockgate::server
