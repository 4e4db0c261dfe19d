// CountTable: how many of each key there are now, for the whole process.
//
// It has an entry for each key of which there is one, so it is as small as the number of
// connections. Any thread: in shards, each with a lock that is held for one look-up, once
// when a connection comes and once when it goes; a counter alone would not do, for an
// entry has to go with its last one.
#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace lockgate::guard {

class CountTable {
 public:
  /// Counts one in, unless there are `most` already.
  bool enter(std::uint64_t key, std::uint32_t most);
  void leave(std::uint64_t key);
  /// Of which there is one.
  std::size_t keys() const;

 private:
  static constexpr std::size_t kShards = 64;
  struct alignas(64) Shard {
    mutable std::mutex lock;
    std::unordered_map<std::uint64_t, std::uint32_t> counts;
  };

  Shard& shard_of(std::uint64_t key) { return shards_[(key >> 32) % kShards]; }

  std::array<Shard, kShards> shards_;
};

/// One that was counted in, until it is destroyed. The table outlives it.
class Counted {
 public:
  /// Takes over a successful enter().
  Counted(CountTable& table, std::uint64_t key) : table_(&table), key_(key) {}
  Counted(Counted&& other) noexcept : table_(std::exchange(other.table_, nullptr)), key_(other.key_) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(key_, other.key_);
    return *this;
  }
  ~Counted() {
    if (table_) table_->leave(key_);
  }

 private:
  CountTable* table_;
  std::uint64_t key_;
};

}  // namespace lockgate::guard
