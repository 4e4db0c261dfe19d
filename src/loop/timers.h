// Timers: a hierarchical wheel of intrusive nodes; starting and stopping cost O(1)
// and allocate nothing. An expired Timer sets its flag and enqueues its Runnable.
//
// One thread. Resolution is a millisecond, and a timer never fires early. Stopping
// is unlinking, so destroying a Timer stops it.
#pragma once
#include <array>
#include <cstdint>

#include "base/clock.h"
#include "base/list.h"
#include "loop/runnable.h"

namespace lockgate::loop {

class Timer : public ListNode {
 public:
  explicit Timer(Runnable& target) : target_(target) {}
  bool running() const { return linked(); }
  /// True from expiry until the next start.
  bool expired() const { return expired_; }
  void stop() { unlink(); }

 private:
  friend class Timers;
  Runnable& target_;
  std::int64_t tick_ = 0;
  bool expired_ = false;
};

class Timers {
 public:
  explicit Timers(Instant now) : elapsed_(tick_of(now)) {}

  /// Starts or restarts; a deadline in the past expires within a tick, and kNever only stops the timer.
  void start(Timer& timer, Instant deadline);
  /// Moves the hand to `now`; puts the targets of expired timers into `ready`.
  void advance(Instant now, List<Runnable>& ready);
  /// When to advance next; may be early, never late. kNever if nothing runs.
  Instant next() const;

 private:
  static constexpr int kLevels = 6, kBits = 6, kSlots = 1 << kBits;
  static constexpr std::int64_t kTick = 1'000'000;
  struct Level {
    std::uint64_t occupied = 0;  // a bit per slot; may be set for a slot that has become empty
    std::array<List<Timer>, kSlots> slots;
  };
  struct Expiry {
    int level = -1;  // -1: none
    int slot = 0;
    std::int64_t tick = 0;
  };

  static std::int64_t tick_of(Instant instant) { return instant.nanoseconds / kTick; }
  void place(Timer& timer);
  Expiry first() const;
  Expiry first_of(int level) const;

  std::int64_t elapsed_;
  std::array<Level, kLevels> levels_;
};

}  // namespace lockgate::loop
