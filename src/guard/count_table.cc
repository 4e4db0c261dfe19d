#include "guard/count_table.h"

#include "base/check.h"

namespace lockgate::guard {

bool CountTable::enter(std::uint64_t key, std::uint32_t most) {
  Shard& shard = shard_of(key);
  std::scoped_lock held(shard.lock);
  std::uint32_t& count = shard.counts[key];
  if (count >= most) return false;
  ++count;
  return true;
}

void CountTable::leave(std::uint64_t key) {
  Shard& shard = shard_of(key);
  std::scoped_lock held(shard.lock);
  auto entry = shard.counts.find(key);
  CHECK(entry != shard.counts.end());
  if (--entry->second == 0) shard.counts.erase(entry);
}

std::size_t CountTable::keys() const {
  std::size_t total = 0;
  for (const Shard& shard : shards_) {
    std::scoped_lock held(shard.lock);
    total += shard.counts.size();
  }
  return total;
}

}  // namespace lockgate::guard
