// LineAllowance: how many lines of one kind may be written in a second, so that a flood
// of what is refused anyway does not fill the disk. One thread.
#pragma once
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace lockgate::proxy {

class LineAllowance {
 public:
  static constexpr std::uint32_t kASecond = 10;

  /// Nothing if there are too many; else how many were left out since the last one that was not.
  std::optional<std::uint64_t> take(Instant now) {
    constexpr Duration kSecond = std::chrono::seconds(1);
    if (now - began_ >= kSecond) {
      began_ = now;
      written_ = 0;
    }
    if (written_ >= kASecond) {
      ++left_out_;
      return {};
    }
    ++written_;
    auto left_out = left_out_;
    left_out_ = 0;
    return left_out;
  }

 private:
  Instant began_{};
  std::uint32_t written_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace lockgate::proxy
