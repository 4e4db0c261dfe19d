#include "base/clock.h"

#include <ctime>

namespace lockgate {
namespace {

std::int64_t read_clock(clockid_t which) {
  timespec t{};
  clock_gettime(which, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

Instant SystemClock::now() const { return {read_clock(CLOCK_MONOTONIC)}; }
WallTime SystemClock::wall() const { return read_clock(CLOCK_REALTIME); }

}  // namespace lockgate
