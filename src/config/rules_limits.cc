#include "config/rules_limits.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>

#include "config/values.h"
#include "config/words.h"

namespace lockgate::config {
namespace {

using Kind = RateKey::Kind;

/// Where a list of rates stands, which says what can be counted there.
enum class Level : std::uint8_t { process, listener, site, route };

class RateRules {
 public:
  explicit RateRules(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  void list(const std::vector<RateRule>& rules, Level level) {
    std::set<std::string> names;
    for (const RateRule& rule : rules) {
      if (!names.insert(rule.name).second)
        error(rule, fmt::format("`{}` is already the name of a rate of this list", rule.name), "");
      place(rule, level);
      if (rule.of == RateOf::connections)
        at_once(rule);
      else
        in_time(rule);
      keys(rule, level);
      excess(rule);
    }
  }
  void without_requests(const std::vector<RateRule>& rules) {
    for (const RateRule& rule : rules) {
      if (rule.of == RateOf::requests)
        error(rule, "this site reads no requests that could be counted",
              "`handshakes` and `connections` can be");
    }
  }

 private:
  void error(const RateRule& rule, std::string message, std::string hint) {
    diagnostics_.push_back({.place = rule.place, .message = std::move(message), .hint = std::move(hint)});
  }
  static std::string_view word(const RateRule& rule) { return word_of(rule.of); }

  void place(const RateRule& rule, Level level) {
    bool of_listener = rule.of == RateOf::new_connections;
    if (of_listener && level > Level::listener)
      error(rule, "`new_connections` are counted before it is known whom they ask for",
            "at the top level, or at the listener");
    else if (rule.of != RateOf::requests && level == Level::route)
      error(rule, fmt::format("at a route only `requests` are counted, not `{}`", word(rule)), "at the site");
  }

  void at_once(const RateRule& rule) {
    if (rule.most == 0) error(rule, "`connections` need `most`", "how many may be there at once");
    if (rule.rate.quantity.amount > 0 || rule.burst.amount > 0)
      error(rule, "`connections` at once have no `rate` and no `burst`", "`new_connections` have");
  }

  void in_time(const RateRule& rule) {
    constexpr std::uint64_t kLeastBytes = 1000;
    constexpr std::uint64_t kMostPeriods = 10'000;
    if (rule.most > 0) error(rule, fmt::format("`{}` have no `most`", word(rule)), "`connections` have");
    const Quantity& amount = rule.rate.quantity;
    if (amount.amount == 0)
      return error(rule, fmt::format("`{}` need a `rate`", word(rule)), "as in 10/s, or 1MB/s of bandwidth");
    bool bytes = rule.of == RateOf::bandwidth;
    if (!bytes && (amount.of_bytes || rule.burst.of_bytes))
      error(rule, fmt::format("`{}` are not counted in bytes", word(rule)), "`bandwidth` is");
    if (rule.burst.amount / amount.amount > kMostPeriods)
      error(rule, "this `burst` is so large that the `rate` would never hold", "");
    double each_second =
        static_cast<double>(amount.amount) / std::chrono::duration<double>(rule.rate.period).count();
    if (bytes && each_second < kLeastBytes)
      error(rule, "a bandwidth is at least 1KB/s", "with less nothing ends in time");
    if (bytes && rule.burst.amount > 0 && rule.burst.amount < kLeastBytes)
      error(rule, "the `burst` of a bandwidth is at least 1KB", "");
  }

  void keys(const RateRule& rule, Level level) {
    for (const RateKey& key : rule.by) {
      std::string who = value_text(key, {});
      bool of_request = key.kind == Kind::user || key.kind == Kind::field || key.kind == Kind::text;
      bool early =
          rule.of == RateOf::new_connections || (rule.of == RateOf::connections && level < Level::site);
      if (of_request && rule.of != RateOf::requests) {
        error(rule,
              fmt::format("`{}` cannot be counted by `{}`, which is known of requests only", word(rule), who),
              "by client, site, listener or everything");
      } else if (key.kind == Kind::site && early) {
        error(rule, fmt::format("`{}` are counted here before the `site` is known", word(rule)),
              "by client, listener or everything");
      } else if (key.kind == Kind::connection && rule.of != RateOf::bandwidth &&
                 rule.of != RateOf::requests) {
        error(rule, fmt::format("`{}` cannot be counted by `connection`: it is one", word(rule)),
              "by client, site, listener or everything");
      } else if (key.kind == Kind::everything && rule.by.size() > 1) {
        error(rule, "`everything` stands alone: with something beside it, it is not everything", "");
      }
    }
    if (rule.by.empty()) error(rule, "`by` is an empty list", "write everything");
  }

  void excess(const RateRule& rule) {
    if (rule.then == RateThen::delay && rule.of != RateOf::requests)
      error(rule, fmt::format("only `requests` can be delayed, not `{}`", word(rule)), "refuse or close");
    if (rule.then == RateThen::close && rule.of == RateOf::bandwidth)
      error(rule, "what goes above its `bandwidth` goes slower", "leave `then` out");
    if (!rule.methods.empty() && rule.of != RateOf::requests)
      error(rule, fmt::format("`methods` are of `requests`, not of `{}`", word(rule)), "");
    if (rule.direction != RateDirection::down && rule.of != RateOf::bandwidth)
      error(rule, fmt::format("a `direction` has `bandwidth`, not `{}`", word(rule)), "");
  }

  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

void check_rate_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  RateRules rules(diagnostics);
  rules.list(config.rates, Level::process);
  for (const Listener& listener : config.listeners) {
    rules.list(listener.rates, Level::listener);
    for (const Site& site : listener.sites) {
      rules.list(site.rates, Level::site);
      if (!site.is_http()) rules.without_requests(site.rates);
      for (const Route& route : site.routes) rules.list(route.rates, Level::route);
    }
  }
}

}  // namespace lockgate::config
