#include "loop/timers.h"

#include <algorithm>
#include <bit>

namespace lockgate::loop {

void Timers::start(Timer& timer, Instant deadline) {
  timer.unlink();
  timer.expired_ = false;
  if (deadline == kNever) return;
  std::int64_t tick = deadline.nanoseconds / kTick + (deadline.nanoseconds % kTick != 0 ? 1 : 0);
  timer.tick_ = std::max(tick, elapsed_ + 1);
  place(timer);
}

void Timers::advance(Instant now, List<Runnable>& ready) {
  std::int64_t tick = tick_of(now);
  for (Expiry expiry = first(); expiry.level >= 0 && expiry.tick <= tick; expiry = first()) {
    Level& level = levels_[static_cast<std::size_t>(expiry.level)];
    level.occupied &= ~(std::uint64_t{1} << expiry.slot);
    elapsed_ = std::max(elapsed_, expiry.tick);
    List<Timer> due;
    due.take_all(level.slots[static_cast<std::size_t>(expiry.slot)]);
    while (Timer* timer = due.pop_front()) {
      if (timer->tick_ > elapsed_) {
        place(*timer);  // a coarser slot opens into finer ones
      } else {
        timer->expired_ = true;
        ready.push_back(timer->target_);
      }
    }
  }
  elapsed_ = std::max(elapsed_, tick);
}

Instant Timers::next() const {
  Expiry expiry = first();
  return expiry.level < 0 ? kNever : Instant{expiry.tick * kTick};
}

// The level is that of the highest bit in which the expiry differs from now, so that every slot of a level
// lies ahead of the hand and opens before anything in it is due. What lies more than a lap of the wheel ahead
// is placed anew after almost a lap.
void Timers::place(Timer& timer) {
  constexpr std::int64_t kFarthest = (std::int64_t{1} << (kLevels * kBits)) - 1;
  std::int64_t tick = std::min(timer.tick_, elapsed_ + kFarthest);
  auto differing = static_cast<std::uint64_t>(elapsed_ ^ tick) | (kSlots - 1);
  int level = std::min((63 - std::countl_zero(differing)) / kBits, kLevels - 1);
  auto slot = static_cast<std::size_t>(tick >> (level * kBits) & (kSlots - 1));
  Level& at = levels_[static_cast<std::size_t>(level)];
  at.occupied |= std::uint64_t{1} << slot;
  at.slots[slot].push_back(timer);
}

Timers::Expiry Timers::first() const {
  for (int level = 0; level < kLevels; ++level) {
    Expiry expiry = first_of(level);
    if (expiry.level >= 0) return expiry;
  }
  return {};
}

Timers::Expiry Timers::first_of(int level) const {
  std::uint64_t occupied = levels_[static_cast<std::size_t>(level)].occupied;
  if (occupied == 0) return {};
  int shift = level * kBits;
  auto hand = static_cast<int>(elapsed_ >> shift & (kSlots - 1));
  int slot = (std::countr_zero(std::rotr(occupied, hand + 1)) + hand + 1) % kSlots;
  std::int64_t start = elapsed_ >> (shift + kBits) << (shift + kBits);
  std::int64_t tick = start + (static_cast<std::int64_t>(slot) << shift);
  if (slot <= hand) tick += std::int64_t{1} << (shift + kBits);  // in the next lap, and only at the top level
  return {level, slot, tick};
}

}  // namespace lockgate::loop
