#include "proxy/request_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>

#include "guard/rates.h"
#include "http/exchange.h"
#include "proxy/front_proxy.h"
#include "proxy/page.h"
#include "proxy/variables.h"

namespace lockgate::proxy {

using config::RateKey;
using guard::RateRule;
using loop::Task;

namespace {

// GET stands for HEAD.
bool concerns(const RateRule& rule, std::string_view method) {
  const std::vector<std::string>& methods = rule.config.methods;
  if (methods.empty()) return true;
  return std::ranges::any_of(
      methods, [&](const std::string& one) { return one == method || (one == "GET" && method == "HEAD"); });
}

/// Who is counted, of one request.
class Sender {
 public:
  Sender(const RequestFacts& facts, http::Exchange& exchange) : facts_(facts), exchange_(exchange) {}

  /// Under which key the rule counts the request; none if it does not.
  std::optional<std::uint64_t> key_of(const RateRule& rule) const {
    if (!concerns(rule, facts_.method)) return {};
    guard::RateKey key = rule.key();
    std::size_t text = 0;
    for (const RateKey& part : rule.config.by) {
      bool is_text = part.kind == RateKey::Kind::text;
      std::string_view value =
          is_text ? filled_in(rule.texts[text++], facts_, exchange_.arena()) : value_of(part);
      bool alike = part.kind == RateKey::Kind::everything;
      if (alike || !value.empty()) {
        key.add(value);
      } else if (!facts_.client.ip().is_none() && speaks_for_itself(facts_)) {  // not a front proxy
        key.add(facts_.client.ip());
      } else {
        return {};
      }
    }
    return key.value();
  }

 private:
  // Empty stands for the client.
  std::string_view value_of(const RateKey& part) const {
    switch (part.kind) {
      case RateKey::Kind::user:
        return facts_.user;
      case RateKey::Kind::site:
        return facts_.site ? std::string_view(facts_.site->site->name) : std::string_view("-");
      case RateKey::Kind::listener:
        return facts_.listener.listener->name;
      case RateKey::Kind::connection:
        return {reinterpret_cast<const char*>(&facts_.connection.id), sizeof facts_.connection.id};
      case RateKey::Kind::field:
        return value_of_field(part.text);
      default:
        return {};
    }
  }
  // Of several, it is for the upstream to say which one it means: none then, lest made-up ones count apart.
  std::string_view value_of_field(std::string_view name) const {
    std::optional<std::string_view> value;
    for (const wire::HeadField& field : exchange_.request().fields) {
      if (!wire::equal_in_any_case(field.name, name)) continue;
      if (value) return {};
      value = field.value;
    }
    return value.value_or("");
  }

  const RequestFacts& facts_;
  http::Exchange& exchange_;
};

/// The place of a request that waits for its turn.
class WaitingTurn {
 public:
  explicit WaitingTurn(guard::RateTally& tally) : tally_(&tally) {}
  WaitingTurn(const WaitingTurn&) = delete;
  WaitingTurn& operator=(const WaitingTurn&) = delete;
  ~WaitingTurn() { tally_->end_waiting(); }

 private:
  guard::RateTally* tally_;
};

/// What all rates together said.
struct Turn {
  const RateRule* slowest = nullptr;  // for whose turn the request waits
  const RateRule* refuses = nullptr;
  Duration wait{};  // for the turn, or until it would not be refused
};

// `later` than it was counted.
void give_back(std::span<const std::shared_ptr<const RateRule>> rules, const Sender& sender,
               Duration later = {}) {
  for (const auto& rule : rules) {
    if (auto key = sender.key_of(*rule)) rule->rates->table().give_back(*key, rule->quota, 1, later);
  }
}

// Of one that may not wait, or where enough wait already, the turn is now or never.
Turn take_turn(const guard::RateList& rules, const Sender& sender, Instant now) {
  Turn turn;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const RateRule& rule = *rules[i];
    auto key = sender.key_of(rule);
    if (!key) continue;
    bool waits =
        rule.config.then == config::RateThen::delay && rule.tally->waiting() < rule.config.most_waiting;
    guard::Taken taken =
        rule.rates->table().take(*key, rule.quota, 1, now, waits ? rule.config.longest_delay : Duration{});
    if (taken.ok && taken.wait > turn.wait) turn = {.slowest = &rule, .wait = taken.wait};
    if (taken.ok) continue;
    give_back(std::span(rules).first(i), sender);
    return {.refuses = &rule, .wait = taken.wait};
  }
  return turn;
}

}  // namespace

const guard::RateRules* rates_of(const RequestFacts& facts) {
  if (facts.route) return facts.route->rates.get();
  return (facts.site ? facts.site->rates : facts.listener.rates).get();
}

Task<void> pass_rates(House& house, RequestFacts& facts, const guard::RateRules& rates, RateStage stage,
                      http::Exchange& exchange) {
  bool signed_in = stage == RateStage::signed_in;
  Sender sender(facts, exchange);
  Instant now = house.reactor.now();
  Turn turn = take_turn(signed_in ? rates.by_user : rates.requests, sender, now);
  if (turn.refuses) {
    if (signed_in) give_back(rates.requests, sender, now - facts.begun);
    facts.excess = turn.refuses;
    turn.refuses->rates->note_excess(*turn.refuses, facts.client.ip(), house.worker);
    auto seconds = std::chrono::ceil<std::chrono::seconds>(turn.wait).count();
    facts.owed.push_back(
        {"Retry-After", exchange.arena().copy(fmt::format_int(seconds).str()), http::FieldName::other});
    co_await loop::fail(refusal(Errc::limited, 429, "counting requests"));
  }
  if (!turn.slowest) co_return;
  guard::RateTally& tally = *turn.slowest->tally;
  tally.add_delayed(house.worker);
  facts.delay += turn.wait;
  tally.begin_waiting();
  WaitingTurn waiting(tally);
  loop::Sleep sleep(house.reactor, house.reactor.now() + turn.wait);
  co_await sleep;
}

bool is_silent(const RequestFacts& facts) {
  return facts.excess && facts.excess->config.then == config::RateThen::close;
}

}  // namespace lockgate::proxy
