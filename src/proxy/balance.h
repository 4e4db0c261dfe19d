// Balancer: picks the endpoint for a connection. One per upstream and worker.
//
// Endpoints that are down, or that the operator has taken out, are never picked; ejected
// ones and backups only when nothing better is left. What was tried for this connection is
// not tried again. One that is full is worth waiting for: nothing worse is picked in its
// place. One that has come back begins with a small share, if it shall start slowly.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proxy/endpoint.h"

namespace lockgate::proxy {

class Balancer {
 public:
  /// `seed` makes workers start at different places.
  Balancer(config::Balance how, std::uint64_t seed, Duration slow_start = {})
      : how_(how), random_(seed | 1), slow_start_(slow_start) {}

  /// There is nobody to pick.
  static constexpr int kNone = -1;
  /// All that could be picked have as many connections as they may.
  static constexpr int kFull = -2;

  /// The index of the target to try next, or kNone, or kFull. `tried` are the indexes that failed already;
  /// `key` is what a consistent hash keeps together.
  int pick(const Targets& targets, std::span<const int> tried, std::string_view key, Instant now);

 private:
  int round_robin(const Targets& targets, Instant now);
  int least_connections(const Targets& targets, Instant now);
  int random_two(const Targets& targets, Instant now);
  int consistent_hash(const Targets& targets, std::string_view key) const;
  int random_one(const Targets& targets, Instant now);
  bool less_loaded(const Target& a, const Target& b, Instant now) const;
  std::uint32_t weight(const Target& target, Instant now) const;
  std::uint64_t random();

  config::Balance how_;
  std::uint64_t random_;
  Duration slow_start_;
  std::vector<std::int64_t> credit_;  // of round robin, a number per target
  std::vector<int> candidates_;       // of the pick under way
};

}  // namespace lockgate::proxy
