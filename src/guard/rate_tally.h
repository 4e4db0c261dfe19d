// RateTally: what is counted of one rate: who was refused and who had to wait.
//
// Each worker has a row of its own, as in a proxy::Tally. Found by where the rate stands
// and its name, it outlives reloads as long as the process.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/limits.h"

namespace lockgate::guard {

/// Where a rate stands; empty is what it is not told apart by.
struct RateScope {
  std::string listener{}, site{}, route{};
  auto operator<=>(const RateScope&) const = default;
};

class RateTally {
 public:
  /// `number` of those that there were before it.
  RateTally(RateScope scope, std::string name, config::RateOf of, std::size_t workers, std::size_t number = 0)
      : scope_(std::move(scope)), name_(std::move(name)), of_(of), number_(number), rows_(workers) {}

  /// That worker's thread.
  void add_refused(std::size_t worker) { add(rows_[worker].refused); }
  void add_delayed(std::size_t worker) { add(rows_[worker].delayed); }

  const RateScope& scope() const { return scope_; }
  const std::string& name() const { return name_; }
  config::RateOf of() const { return of_; }
  std::size_t number() const { return number_; }
  std::uint64_t refused() const { return sum(&Row::refused); }
  std::uint64_t delayed() const { return sum(&Row::delayed); }

  /// A request waits for its turn. Any thread.
  void begin_waiting() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void end_waiting() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Row {
    std::atomic<std::uint64_t> refused = 0, delayed = 0;
  };
  static void add(std::atomic<std::uint64_t>& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  std::uint64_t sum(std::atomic<std::uint64_t> Row::* counter) const {
    std::uint64_t total = 0;
    for (const Row& row : rows_) total += (row.*counter).load(std::memory_order_relaxed);
    return total;
  }

  RateScope scope_;
  std::string name_;
  config::RateOf of_;
  std::size_t number_;
  std::vector<Row> rows_;
  std::atomic<std::uint32_t> waiting_ = 0;
};

}  // namespace lockgate::guard
