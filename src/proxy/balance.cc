#include "proxy/balance.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace lockgate::proxy {
namespace {

// FNV-1a and a finishing mix: the same for the same text on every machine, so that several of them agree.
std::uint64_t stable_hash(std::string_view first, std::string_view second) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (std::string_view text : {first, std::string_view("\0", 1), second}) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  return hash ^ hash >> 33;
}

const Target& at(const Targets& targets, int index) { return targets[static_cast<std::size_t>(index)]; }

}  // namespace

int Balancer::pick(const Targets& targets, std::span<const int> tried, std::string_view key, Instant now) {
  // Primaries, then backups, then what was ejected: a last resort is better than none.
  for (int choice = 0; choice < 3; ++choice) {
    candidates_.clear();
    bool full = false;
    for (int i = 0; i < static_cast<int>(targets.size()); ++i) {
      const Target& target = at(targets, i);
      bool out = !target.endpoint->up() || !target.endpoint->takes_new();
      if (out || std::ranges::find(tried, i) != tried.end()) continue;
      bool ejected = target.endpoint->ejected(now);
      if (choice != 2 && (ejected || target.backup != (choice == 1))) continue;
      // What a hash keeps together stays together.
      if (how_ == config::Balance::consistent_hash || target.has_room())
        candidates_.push_back(i);
      else
        full = true;
    }
    if (candidates_.empty() && full) return kFull;
    if (candidates_.size() == 1) return candidates_.front();
    if (candidates_.empty()) continue;
    switch (how_) {
      case config::Balance::round_robin:
        return round_robin(targets, now);
      case config::Balance::least_connections:
        return least_connections(targets, now);
      case config::Balance::random_two:
        return random_two(targets, now);
      case config::Balance::consistent_hash:
        return consistent_hash(targets, key);
    }
  }
  return kNone;
}

// With the part of it that an endpoint gets which has come back: a thousand stands for 1.
std::uint32_t Balancer::weight(const Target& target, Instant now) const {
  return target.weight * target.endpoint->share(now, slow_start_);
}

// Connections per weight are compared as fractions, counting the one to come.
bool Balancer::less_loaded(const Target& a, const Target& b, Instant now) const {
  auto load_a = std::uint64_t{a.endpoint->connections() + 1} * weight(b, now);
  auto load_b = std::uint64_t{b.endpoint->connections() + 1} * weight(a, now);
  return load_a < load_b;
}

// Smooth weighted round robin: everybody earns its weight, the richest is picked and pays for all.
int Balancer::round_robin(const Targets& targets, Instant now) {
  if (credit_.size() != targets.size()) {
    credit_.assign(targets.size(), 0);
    credit_[static_cast<std::size_t>(candidates_[random() % candidates_.size()])] = Endpoint::kWhole;
  }
  std::int64_t total = 0;
  int best = candidates_.front();
  for (int i : candidates_) {
    auto index = static_cast<std::size_t>(i);
    std::uint32_t earned = weight(at(targets, i), now);
    credit_[index] += earned;
    total += earned;
    if (credit_[index] > credit_[static_cast<std::size_t>(best)]) best = i;
  }
  credit_[static_cast<std::size_t>(best)] -= total;
  return best;
}

int Balancer::least_connections(const Targets& targets, Instant now) {
  std::size_t start = random() % candidates_.size();
  int best = candidates_[start];
  for (std::size_t n = 1; n < candidates_.size(); ++n) {
    int i = candidates_[(start + n) % candidates_.size()];
    if (less_loaded(at(targets, i), at(targets, best), now)) best = i;
  }
  return best;
}

int Balancer::random_two(const Targets& targets, Instant now) {
  int first = random_one(targets, now);
  std::erase(candidates_, first);
  int second = random_one(targets, now);
  return less_loaded(at(targets, second), at(targets, first), now) ? second : first;
}

int Balancer::random_one(const Targets& targets, Instant now) {
  std::uint64_t total = 0;
  for (int i : candidates_) total += weight(at(targets, i), now);
  CHECK(total > 0);
  std::uint64_t point = random() % total;
  for (int i : candidates_) {
    std::uint32_t share = weight(at(targets, i), now);
    if (point < share) return i;
    point -= share;
  }
  return candidates_.front();
}

// Weighted rendezvous hashing: each endpoint draws a lot for the key; when one leaves, only its keys move.
int Balancer::consistent_hash(const Targets& targets, std::string_view key) const {
  int best = candidates_.front();
  double highest = -1;
  for (int i : candidates_) {
    const Target& target = at(targets, i);
    constexpr double kRange = 18446744073709551616.0;  // 2^64
    double draw = (static_cast<double>(stable_hash(target.endpoint->label(), key)) + 0.5) / kRange;
    double lot = target.weight / -std::log(draw);
    if (lot > highest) {
      highest = lot;
      best = i;
    }
  }
  return best;
}

std::uint64_t Balancer::random() {  // xorshift64*: fairness, not secrecy
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return random_ * 2685821657736338717ULL;
}

}  // namespace lockgate::proxy
