#include "config/rules_bans.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "config/words.h"

namespace lockgate::config {
namespace {

class BanRules {
 public:
  BanRules(const Config& config, std::vector<Diagnostic>& diagnostics)
      : config_(config), bans_(config.bans), diagnostics_(diagnostics) {}

  void check() {
    for (const BanRule& rule : bans_.rules) one(rule);
    for (const Listener& listener : config_.listeners) {
      for (const Site& site : listener.sites) {
        for (const Route& route : site.routes) trap(route);
      }
    }
    nftables();
  }

 private:
  void error(const Place& place, std::string message, std::string hint = "") {
    diagnostics_.push_back({.place = place, .message = std::move(message), .hint = std::move(hint)});
  }

  void one(const BanRule& rule) {
    auto first = std::ranges::find(bans_.rules, rule.name, &BanRule::name);
    if (&*first != &rule) {
      error(rule.place, fmt::format("`{}` is already the name of a rule", rule.name),
            fmt::format("in {}, line {}; give it a `name`", first->place.file, first->place.line));
    }
    bool wants_statuses = rule.on == BanEvent::status;
    if (wants_statuses && rule.statuses.empty())
      error(rule.place, "`on: status` needs `statuses`", "as statuses: [401, 404]");
    if (!wants_statuses && !rule.statuses.empty())
      error(rule.place, fmt::format("`statuses` do nothing with `on: {}`", word_of(rule.on)),
            "they go with `on: status`");
    if (rule.longest < rule.time) error(rule.place, "`for` is above `longest`", "raise `longest`");
  }

  void trap(const Route& route) {
    if (route.trap.empty()) return;
    bool counted = std::ranges::any_of(bans_.rules, [&](const BanRule& rule) {
      return rule.on == BanEvent::trap && rule.name == route.trap;
    });
    if (!counted)
      error(route.place,
            fmt::format("the route is a trap of `{}`, which is no rule with `on: trap`", route.trap),
            "`bans.rules` has them by their names");
  }

  // They become words of a command to the kernel's packet filter.
  void nftables() {
    const Nftables& sets = bans_.nftables;
    for (const std::string* name : {&sets.table, &sets.set_v4, &sets.set_v6}) {
      if (name->empty() || is_identifier(*name)) continue;
      error(bans_.place, fmt::format("`{}` is no name of a table or a set", *name),
            "letters, digits and underscores, beginning with a letter");
    }
    bool has_sets = !sets.set_v4.empty() || !sets.set_v6.empty();
    if (has_sets && sets.table.empty()) error(bans_.place, "`nftables` has sets but no `table`");
    if (!has_sets && sets.on()) error(bans_.place, "`nftables` has neither `set_v4` nor `set_v6`");
  }
  static bool is_identifier(std::string_view name) {
    auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    constexpr std::size_t kLongest = 64;
    return is_letter(name.front()) && name.size() <= kLongest && std::ranges::all_of(name, [&](char c) {
             return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
           });
  }

  const Config& config_;
  const Bans& bans_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

void check_ban_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  BanRules(config, diagnostics).check();
}

}  // namespace lockgate::config
