// AnswerCache: questions that were answered lately, by digests that nobody foresees who does
// not know the process's keys. Bounded; looking allocates nothing, and keeping does so
// once. Where it is full, the one goes that would go first. One thread.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace lockgate::guard {

/// Of a question: two keyed hashes of it, which together never meet those of another.
using Digest = std::array<std::uint64_t, 2>;

class AnswerCache {
 public:
  /// For `size` questions at most, a multiple of kWays.
  explicit AnswerCache(std::size_t size) : size_(size) {}

  bool has(const Digest& digest, Instant now) const {
    if (entries_.empty()) return false;
    const Entry* first = &entries_[begin_of(digest)];
    return std::any_of(first, first + kWays,
                       [&](const Entry& entry) { return entry.until > now && entry.digest == digest; });
  }
  void keep(const Digest& digest, Instant until) {
    entries_.resize(size_);
    Entry* first = &entries_[begin_of(digest)];
    auto is_it = [&](const Entry& entry) { return entry.digest == digest; };
    Entry* place = std::find_if(first, first + kWays, is_it);
    if (place == first + kWays) place = std::min_element(first, first + kWays, ends_sooner);
    *place = {digest, until};
  }

 private:
  static constexpr std::size_t kWays = 8;  // where a question may be
  struct Entry {
    Digest digest{};
    Instant until{};
  };

  static bool ends_sooner(const Entry& one, const Entry& other) { return one.until < other.until; }
  std::size_t begin_of(const Digest& digest) const { return digest[0] % (size_ / kWays) * kWays; }

  std::size_t size_;
  std::vector<Entry> entries_;
};

}  // namespace lockgate::guard
