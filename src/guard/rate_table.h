// RateTable: how much each of many keys has had lately, for the whole process.
//
// A cell holds a key, which is a keyed hash, and the time at which all that it took is
// made up for (the generic cell rate algorithm, as of ATM: "theoretical arrival time").
// The cells are a fixed number in sets of eight; any thread, no lock, no allocation. Keys
// are of families, those of one rate, told by their lowest byte. If more keys come than
// there are cells, what is made up for is forgotten first, and then a key of the family
// that has most of the set, the one nearest to being made up for: so a flood of one rate's
// keys pushes out its own kind, a key that keeps coming stays limited, and a flood gains
// nothing but what a key that was never seen has anyway.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace lockgate::guard {

/// So much in so much time, and how much at once. Amounts and bursts are at least 1, and at most 2^56.
struct Quota {
  std::uint64_t amount = 1;
  Duration period = std::chrono::seconds(1);
  std::uint64_t burst = 1;

  /// The time that makes up for `taken`; rounded down, so that a period never has less than its amount.
  Duration cost(std::uint64_t taken) const;
};

/// What became of taking: whether it was, and how long until its turn, or until it could be taken.
struct Taken {
  bool ok = false;
  Duration wait{};
};

class RateTable {
 public:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kCells = std::size_t{1} << 18;  // 4 MiB

  /// `cells` is rounded up to a power of two.
  explicit RateTable(std::size_t cells = kCells);

  /// Takes `amount`, at most the quota's burst, all or nothing; be it for a turn that is `patience` ahead.
  Taken take(std::uint64_t key, const Quota& quota, std::uint64_t amount, Instant now,
             Duration patience = {});
  /// Takes as much as there is, at most `most`.
  std::uint64_t take_some(std::uint64_t key, const Quota& quota, std::uint64_t most, Instant now);
  /// Gives back what was taken and not used, `later` than it was taken: what time may have made up for since
  /// is not given twice.
  void give_back(std::uint64_t key, const Quota& quota, std::uint64_t amount, Duration later = {});

  std::size_t bytes() const { return sets_.size() * sizeof(Set); }

 private:
  struct Cell {
    std::atomic<std::uint64_t> key = 0;  // 0: empty
    std::atomic<std::int64_t> due = 0;   // nanoseconds of the clock; in the past, all is made up for
  };
  struct alignas(64) Set {
    std::array<Cell, kWays> cells;
  };

  Set& set_of(std::uint64_t key);
  static Cell* find(Set& set, std::uint64_t key);
  static Cell* claim(Set& set, std::uint64_t key, Instant now);
  Cell& cell_of(std::uint64_t key, Instant now);

  std::vector<Set> sets_;
};

}  // namespace lockgate::guard
