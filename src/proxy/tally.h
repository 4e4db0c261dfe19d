// Tally: what is counted of the connections of one site (or of those that no site
// took): how they ended, and their bytes.
//
// Each worker has its own row, written by it alone without a locked instruction and
// summed up when somebody asks. A tally outlives reloads as long as its site does.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace lockgate::proxy {

/// Written by one thread, read by any.
class Counter {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  /// For what goes down as well as up.
  void take(std::uint64_t n) { add(~n + 1); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Outcomes are the error codes and, behind them, "finished".
inline constexpr std::size_t kFinished = kErrcCount;
inline constexpr std::size_t kOutcomes = kErrcCount + 1;

class Tally {
 public:
  struct alignas(64) Row {
    std::array<Counter, kOutcomes> outcomes;
    Counter bytes_up, bytes_down;
  };

  Tally(std::string listener, std::string site, std::string verdict, std::size_t workers)
      : listener_(std::move(listener)),
        site_(std::move(site)),
        verdict_(std::move(verdict)),
        rows_(workers) {}

  /// The row of one worker; only that worker's thread writes it.
  Row& row(std::size_t worker) { return rows_[worker]; }

  const std::string& listener() const { return listener_; }
  const std::string& site() const { return site_; }
  const std::string& verdict() const { return verdict_; }
  /// Any thread: the sum over all workers of what `pick(row)` gives.
  template <class Pick>
  std::uint64_t sum(Pick pick) const {
    std::uint64_t total = 0;
    for (const Row& row : rows_) total += pick(row);
    return total;
  }

 private:
  std::string listener_, site_, verdict_;
  std::vector<Row> rows_;
};

}  // namespace lockgate::proxy
