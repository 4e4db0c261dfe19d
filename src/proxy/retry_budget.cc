#include "proxy/retry_budget.h"

#include <algorithm>

namespace lockgate::proxy {

void RetryBudget::begin(Instant now) {
  ++second_at(now).begun;
  ++begun_;
}

bool RetryBudget::take(Instant now, std::uint32_t percent) {
  Second& second = second_at(now);
  if (further_ >= std::max(kFree, begun_ * percent / 100)) return false;
  ++second.further;
  ++further_;
  return true;
}

// Seconds that have passed meanwhile make room for those that come.
RetryBudget::Second& RetryBudget::second_at(Instant now) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  std::int64_t number = now.nanoseconds / kSecond;
  auto passed = std::min<std::int64_t>(number - newest_, kSeconds);
  for (std::int64_t back = 0; back < passed; ++back) {
    Second& gone = seconds_[static_cast<std::size_t>(number - back) % kSeconds];
    begun_ -= gone.begun;
    further_ -= gone.further;
    gone = {};
  }
  newest_ = number;
  return seconds_[static_cast<std::size_t>(number) % kSeconds];
}

}  // namespace lockgate::proxy
