#include "guard/rates.h"

#include <algorithm>

#include "base/check.h"
#include "base/digest.h"
#include "config/template.h"

namespace lockgate::guard {
namespace {

// Whether who is counted is known only after the sign-in.
bool by_user(const RateRule& rule) {
  auto is_user = [](const config::RateKey& part) { return part.kind == config::RateKey::Kind::user; };
  auto tells_user = [](const config::Template& text) {
    return std::ranges::any_of(text.parts,
                               [](const auto& part) { return part.variable == config::Variable::user; });
  };
  return std::ranges::any_of(rule.config.by, is_user) || std::ranges::any_of(rule.texts, tells_user);
}

RateList& list_for(RateRules& rules, const RateRule& rule, const RateScope& scope) {
  switch (rule.config.of) {
    case config::RateOf::requests:
      return by_user(rule) ? rules.by_user : rules.requests;
    case config::RateOf::handshakes:
      return rules.at_site;
    case config::RateOf::bandwidth:
      return rules.bandwidth;
    case config::RateOf::connections:
      return scope.site.empty() ? rules.arrivals : rules.at_site;
    case config::RateOf::new_connections:
      break;
  }
  return rules.arrivals;
}

}  // namespace

Rates::Rates(std::size_t workers, std::size_t cells)
    : workers_(workers), cells_(cells), secret_(random_hash_secret()) {}

void Rates::add(RateRules& to, const RateScope& scope, const std::vector<config::RateRule>& rules) {
  for (const config::RateRule& config : rules) {
    auto rule = made(scope, config);
    list_for(to, *rule, scope).push_back(std::move(rule));
  }
}

std::vector<std::shared_ptr<const RateTally>> Rates::tallies() const {
  std::vector<std::shared_ptr<const RateTally>> all;
  for (const auto& [key, tally] : tallies_) all.push_back(tally);
  return all;
}

std::shared_ptr<const RateRule> Rates::made(const RateScope& scope, const config::RateRule& config) {
  if (!table_) table_.emplace(cells_);
  auto rule = std::make_shared<RateRule>();
  rule->config = config;
  for (const config::RateKey& part : config.by) {
    if (part.kind != config::RateKey::Kind::text) continue;
    auto text = config::parse_template(part.text);
    CHECK(text);  // the configuration was refused otherwise
    rule->texts.push_back(std::move(*text));
  }
  RateKey identity(secret_);
  for (const std::string* part : {&scope.listener, &scope.site, &scope.route, &config.name})
    identity.add(std::string_view(*part));
  rule->seed = {secret_[0] ^ identity.value(), secret_[1]};
  if (config.rate.quantity.amount > 0) {
    std::uint64_t amount = config.rate.quantity.amount;
    rule->quota = {.amount = amount,
                   .period = config.rate.period,
                   .burst = config.burst.amount > 0 ? config.burst.amount : amount};
  }
  auto& tally = tallies_[{scope, config.name}];
  if (!tally)
    tally = std::make_shared<RateTally>(scope, config.name, config.of, workers_, tallies_.size() - 1);
  rule->tally = tally;
  rule->family = static_cast<std::uint8_t>(tally->number());
  rule->rates = this;
  return rule;
}

void Rates::note_excess(const RateRule& rule, const Ip&, std::size_t worker) {
  rule.tally->add_refused(worker);
}

}  // namespace lockgate::guard
