// EventCounts: how often something has happened of each client and rule, in the window
// that began with the first time. Bounded: where there is no room, the window that began
// first gives its place away, so that a flood of clients forgets, and takes no memory.
//
// Any thread, without a lock. Two threads that count for the same client at the very
// moment in which a place changes hands may be out by one.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace lockgate::guard {

class EventCounts {
 public:
  /// Of at least `most` windows.
  explicit EventCounts(std::size_t most);

  /// Counts once more for `key`, a keyed hash of whom and what; how often that was in the window.
  std::uint32_t count(std::uint64_t key, Duration window, Instant now);
  /// Begins anew.
  void forget(std::uint64_t key);

 private:
  static constexpr std::size_t kCells = 4;
  struct Cell {
    std::atomic<std::uint64_t> key = 0;
    std::atomic<std::uint64_t> state = 0;  // when it began, in milliseconds, and the count; 0: not begun
  };
  struct alignas(64) Line {
    std::array<Cell, kCells> cells;
  };
  Line& line_of(std::uint64_t key) {
    return lines_[static_cast<std::size_t>((key >> 32) * lines_.size() >> 32)];
  }
  static Cell& take(Line& line, std::uint64_t key);

  std::vector<Line> lines_;
};

}  // namespace lockgate::guard
