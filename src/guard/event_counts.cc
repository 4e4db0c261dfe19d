#include "guard/event_counts.h"

#include <algorithm>

namespace lockgate::guard {
namespace {

constexpr int kCountBits = 24;
constexpr std::uint64_t kMostCount = (std::uint64_t{1} << kCountBits) - 1;

std::uint64_t milliseconds(Instant now) { return static_cast<std::uint64_t>(now.nanoseconds) / 1'000'000; }

}  // namespace

EventCounts::EventCounts(std::size_t most) : lines_(most / kCells + 1) {}

std::uint32_t EventCounts::count(std::uint64_t key, Duration window, Instant now) {
  key |= 1;  // 0 is nobody's
  Cell& cell = take(line_of(key), key);
  auto longest = static_cast<std::uint64_t>(window.count() / 1'000'000);
  std::uint64_t seen = cell.state.load(std::memory_order_relaxed), next = 0;
  do {
    std::uint64_t began = seen >> kCountBits, count = seen & kMostCount, at = milliseconds(now);
    bool goes_on = count > 0 && at < began + longest;
    next = goes_on ? seen + (count < kMostCount) : at << kCountBits | 1;
  } while (!cell.state.compare_exchange_weak(seen, next, std::memory_order_relaxed));
  return static_cast<std::uint32_t>(next & kMostCount);
}

void EventCounts::forget(std::uint64_t key) {
  key |= 1;
  for (Cell& cell : line_of(key).cells) {
    if (cell.key.load(std::memory_order_relaxed) == key) cell.state.store(0, std::memory_order_relaxed);
  }
}

// The state goes before the key, so that nobody inherits what another has done.
EventCounts::Cell& EventCounts::take(Line& line, std::uint64_t key) {
  for (Cell& cell : line.cells) {
    if (cell.key.load(std::memory_order_acquire) == key) return cell;
  }
  auto began = [](const Cell& cell) { return cell.state.load(std::memory_order_relaxed); };
  Cell& oldest = *std::ranges::min_element(line.cells, {}, began);
  oldest.state.store(0, std::memory_order_relaxed);
  oldest.key.store(key, std::memory_order_release);
  return oldest;
}

}  // namespace lockgate::guard
