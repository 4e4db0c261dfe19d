// Sessions: at which endpoint each session of an application is, as the cookies that its
// answers set have told.
//
// Shared by all workers, for the next request of a client may come to another one. Of a
// session only a keyed hash is kept. Their number is bounded: those not asked for longest
// go first. One of many short locks is taken, by requests with such a cookie alone.
#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/list.h"

namespace lockgate::proxy {

class Sessions {
 public:
  Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// How many there may be, more or less, and how long one is remembered after its last use.
  struct Bounds {
    std::size_t most;
    Duration expire;
  };

  /// The session is at the endpoint of this mark, which is not 0.
  void learn(std::string_view session, std::uint64_t mark, Instant now, const Bounds& bounds);
  /// The mark of the endpoint where it is; 0 if that is not known. Counts as a use.
  std::uint64_t find(std::string_view session, Instant now, Duration expire);
  /// It has moved, if anything is known of it: what clients make up is not learned.
  void move(std::string_view session, std::uint64_t mark);

  std::size_t size() const;

 private:
  struct Entry : public ListNode {
    std::uint64_t hash = 0, mark = 0;
    Instant used;
  };
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, Entry> entries;
    List<Entry> by_use;  // the one used last at the end
    void forget(Entry& entry) { entries.erase(entry.hash); }
  };
  static constexpr std::size_t kShards = 32;

  Shard& shard_of(std::uint64_t hash) { return shards_[hash % kShards]; }

  HashSecret secret_{};
  std::array<Shard, kShards> shards_;
};

}  // namespace lockgate::proxy
