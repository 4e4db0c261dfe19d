#include "guard/rate_table.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace lockgate::guard {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
__extension__ using Wide = unsigned __int128;

// `a` * `b` / `c`, or as much as a Duration can be.
std::int64_t scaled(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  constexpr std::int64_t kLongest = std::numeric_limits<std::int64_t>::max() / 4;
  Wide result = Wide{a} * b / c;
  return result > static_cast<Wide>(kLongest) ? kLongest : static_cast<std::int64_t>(result);
}

// A hash may be the number that stands for an empty cell.
constexpr std::uint64_t named(std::uint64_t key) { return key == 0 ? 1 : key; }

constexpr std::uint8_t family(std::uint64_t key) { return static_cast<std::uint8_t>(key); }

}  // namespace

Duration Quota::cost(std::uint64_t taken) const {
  return Duration(scaled(taken, static_cast<std::uint64_t>(period.count()), amount));
}

RateTable::RateTable(std::size_t cells) : sets_(std::bit_ceil(std::max(cells, kWays)) / kWays) {}

Taken RateTable::take(std::uint64_t key, const Quota& quota, std::uint64_t amount, Instant now,
                      Duration patience) {
  Cell& cell = cell_of(key, now);
  const std::int64_t cost = quota.cost(amount).count(), room = quota.cost(quota.burst).count();
  std::int64_t due = cell.due.load(kRelaxed);
  for (;;) {
    std::int64_t next = std::max(due, now.nanoseconds) + cost;
    Duration wait(std::max<std::int64_t>(next - now.nanoseconds - room, 0));
    if (wait > patience) return {.ok = false, .wait = wait};
    if (cell.due.compare_exchange_weak(due, next, kRelaxed)) return {.ok = true, .wait = wait};
  }
}

std::uint64_t RateTable::take_some(std::uint64_t key, const Quota& quota, std::uint64_t most, Instant now) {
  Cell& cell = cell_of(key, now);
  const std::int64_t room = quota.cost(quota.burst).count();
  std::int64_t due = cell.due.load(kRelaxed);
  for (;;) {
    std::int64_t from = std::max(due, now.nanoseconds);
    std::int64_t left = now.nanoseconds + room - from;
    if (left <= 0) return 0;
    auto there = static_cast<std::uint64_t>(scaled(static_cast<std::uint64_t>(left), quota.amount,
                                                   static_cast<std::uint64_t>(quota.period.count())));
    std::uint64_t amount = std::min(there, most);
    if (amount == 0) return 0;
    if (cell.due.compare_exchange_weak(due, from + quota.cost(amount).count(), kRelaxed)) return amount;
  }
}

void RateTable::give_back(std::uint64_t key, const Quota& quota, std::uint64_t amount, Duration later) {
  Duration left = quota.cost(amount) - later;
  if (left <= Duration::zero()) return;
  if (Cell* cell = find(set_of(key), named(key))) cell->due.fetch_sub(left.count(), kRelaxed);
}

// The upper bits choose the set, and all of them the cell.
RateTable::Set& RateTable::set_of(std::uint64_t key) { return sets_[(key >> 32) & (sets_.size() - 1)]; }

RateTable::Cell* RateTable::find(Set& set, std::uint64_t key) {
  for (Cell& cell : set.cells) {
    if (cell.key.load(std::memory_order_acquire) == key) return &cell;
  }
  return nullptr;
}

// The cell becomes the key's that is missed least; null if another thread was quicker, for this key or
// another one. What its last owner took is not the newcomer's, who counts among its family already: of two
// that have as many it is its own that gives.
RateTable::Cell* RateTable::claim(Set& set, std::uint64_t key, Instant now) {
  std::array<std::uint64_t, kWays> owners{};
  std::array<std::int64_t, kWays> dues{};
  for (std::size_t i = 0; i < kWays; ++i) {
    owners[i] = set.cells[i].key.load(std::memory_order_acquire);
    dues[i] = set.cells[i].due.load(kRelaxed);
  }
  if (std::ranges::find(owners, key) != owners.end()) return nullptr;
  auto loss = [&](std::size_t i) {
    if (owners[i] == 0 || dues[i] <= now.nanoseconds)
      return std::pair(std::numeric_limits<std::ptrdiff_t>::min(), owners[i] == 0 ? 0 : dues[i]);
    bool own = family(owners[i]) == family(key);
    auto kin = std::ranges::count(owners, family(owners[i]), family) + (own ? 1 : 0);
    return std::pair(-2 * kin - (own ? 1 : 0), dues[i]);
  };
  std::size_t least = 0;
  for (std::size_t i = 1; i < kWays; ++i) {
    if (loss(i) < loss(least)) least = i;
  }
  Cell& chosen = set.cells[least];
  if (!chosen.key.compare_exchange_strong(owners[least], key, std::memory_order_acq_rel)) return nullptr;
  // If it is not what it was, somebody has taken since, for the new key as like as not: that counts.
  chosen.due.compare_exchange_strong(dues[least], 0, kRelaxed);
  return &chosen;
}

// Two threads may claim two cells for one key; then the first of the set is the one that counts.
RateTable::Cell& RateTable::cell_of(std::uint64_t key, Instant now) {
  key = named(key);
  Set& set = set_of(key);
  for (;;) {
    if (Cell* found = find(set, key)) return *found;
    Cell* claimed = claim(set, key, now);
    if (!claimed) continue;
    Cell* first = find(set, key);
    if (first == claimed || !first) return *claimed;
    std::uint64_t again = key;
    claimed->key.compare_exchange_strong(again, 0, std::memory_order_acq_rel);
    return *first;
  }
}

}  // namespace lockgate::guard
