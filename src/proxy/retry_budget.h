// RetryBudget: how many further tries an upstream may be burdened with, as a share of what
// it was asked lately: what fails under its load must not be asked twice as much.
//
// One per upstream and worker. One thread.
#pragma once
#include <array>
#include <cstdint>

#include "base/clock.h"

namespace lockgate::proxy {

class RetryBudget {
 public:
  /// A request or connection of a client has come.
  void begin(Instant now);
  /// Counts a further try, if there may be one: `percent` of what has begun in the last ten seconds, and ten
  /// a second in any case.
  bool take(Instant now, std::uint32_t percent);

 private:
  static constexpr std::size_t kSeconds = 10;
  static constexpr std::uint64_t kFree = 10 * kSeconds;
  struct Second {
    std::uint32_t begun = 0, further = 0;
  };

  Second& second_at(Instant now);

  std::array<Second, kSeconds> seconds_{};
  std::uint64_t begun_ = 0, further_ = 0;  // of all of them
  std::int64_t newest_ = 0;                // the number of the newest second
};

}  // namespace lockgate::proxy
