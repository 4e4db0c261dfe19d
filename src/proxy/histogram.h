// Histogram: how many of something took how long. Written by one thread without a locked
// instruction, read by any.
#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include "base/clock.h"
#include "proxy/tally.h"

namespace lockgate::proxy {

/// The buckets' upper ends; behind the last there is one for all the rest.
inline constexpr std::array<Duration, 15> kBuckets = [] {
  std::array<Duration, 15> ends{};
  constexpr std::array<int, 15> kMilliseconds = {1,   2,    5,    10,   25,    50,    100,  250,
                                                 500, 1000, 2500, 5000, 10000, 30000, 60000};
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = std::chrono::milliseconds(kMilliseconds[i]);
  return ends;
}();

class Histogram {
 public:
  void add(Duration time) {
    time = std::max(time, Duration::zero());
    auto bucket = std::ranges::lower_bound(kBuckets, time) - kBuckets.begin();
    counts_[static_cast<std::size_t>(bucket)].add(1);
    nanoseconds_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count()));
  }
  /// Of the bucket with that number alone; the one behind the last end is for the rest.
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  std::uint64_t nanoseconds() const { return nanoseconds_.value(); }

 private:
  std::array<Counter, kBuckets.size() + 1> counts_;
  Counter nanoseconds_;
};

/// Several of them together, at one moment.
struct HistogramSum {
  void add(const Histogram& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.count(i);
    nanoseconds += other.nanoseconds();
  }
  void add(const HistogramSum& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    nanoseconds += other.nanoseconds;
  }
  std::array<std::uint64_t, kBuckets.size() + 1> counts{};
  std::uint64_t nanoseconds = 0;
};

}  // namespace lockgate::proxy
