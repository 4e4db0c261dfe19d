// Time: monotonic instants for deadlines, wall time for people.
//
// Everything that waits uses Instant; wall time is only printed. A Clock is
// passed to whoever needs one, so that tests turn the hands themselves.
#pragma once
#include <chrono>
#include <cstdint>

namespace lockgate {

using Duration = std::chrono::nanoseconds;

/// Nanoseconds of the monotonic clock.
struct Instant {
  std::int64_t nanoseconds = 0;

  auto operator<=>(const Instant&) const = default;
  Instant operator+(Duration d) const { return {nanoseconds + d.count()}; }
  Duration operator-(Instant other) const { return Duration(nanoseconds - other.nanoseconds); }
};

/// A moment that never comes: the deadline of what may take for ever.
inline constexpr Instant kNever{INT64_MAX};

/// Nanoseconds since 1970 in UTC.
using WallTime = std::int64_t;

/// Any thread may ask; ManualClock belongs to one.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
};

/// Stands still until told to move.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return kEpoch + now_.nanoseconds; }
  void advance(Duration d) { now_ = now_ + d; }

 private:
  static constexpr WallTime kEpoch = 1'700'000'000'000'000'000;
  Instant now_{1};
};

}  // namespace lockgate
