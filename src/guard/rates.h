// Rates: the promises of the whole process about how often, how many at once and how
// fast. It has the tables that count, and makes the rules of each new plan.
//
// Owned by the Guardroom. Rules are made on the process's thread; the tables are for any.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "guard/count_table.h"
#include "guard/rate_rule.h"
#include "guard/rate_table.h"

namespace lockgate::guard {

class Rates {
 public:
  explicit Rates(std::size_t workers, std::size_t cells = RateTable::kCells);

  /// Makes the rules that stand at `scope` and adds them to those that hold there.
  void add(RateRules& to, const RateScope& scope, const std::vector<config::RateRule>& rules);
  /// Of all rules that there ever were, for a counter that goes back confuses who reads it.
  std::vector<std::shared_ptr<const RateTally>> tallies() const;

  // The rest is for any thread, once there is a rule.

  RateTable& table() { return *table_; }
  CountTable& counts() { return counts_; }
  const CountTable& counts() const { return counts_; }
  /// Somebody was too often, too many or too early; `client` has no address where nobody is known. On that
  /// worker's thread.
  void note_excess(const RateRule& rule, const Ip& client, std::size_t worker);

 private:
  std::shared_ptr<const RateRule> made(const RateScope& scope, const config::RateRule& config);

  std::size_t workers_, cells_;
  HashSecret secret_;
  std::optional<RateTable> table_;  // allocated once, with the first rule
  CountTable counts_;
  std::map<std::pair<RateScope, std::string>, std::shared_ptr<RateTally>> tallies_;
};

}  // namespace lockgate::guard
