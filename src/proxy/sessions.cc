#include "proxy/sessions.h"

#include <span>

#include "base/digest.h"

namespace lockgate::proxy {

Sessions::Sessions() { random_bytes(std::as_writable_bytes(std::span(secret_))); }

void Sessions::learn(std::string_view session, std::uint64_t mark, Instant now, const Bounds& bounds) {
  std::uint64_t hash = keyed_hash(secret_, session);
  Shard& shard = shard_of(hash);
  std::scoped_lock lock(shard.mutex);
  auto [found, is_new] = shard.entries.try_emplace(hash);
  Entry& entry = found->second;
  entry.hash = hash;
  entry.mark = mark;
  entry.used = now;
  shard.by_use.push_back(entry);
  // A few at a time, so that nobody waits long for the lock.
  const std::size_t most = (bounds.most + kShards - 1) / kShards;
  for (int few = 4; few > 0; --few) {
    Entry& oldest = *shard.by_use.front();
    bool over = shard.entries.size() > most || now - oldest.used > bounds.expire;
    if (!over || &oldest == &entry) break;
    shard.forget(oldest);
  }
}

std::uint64_t Sessions::find(std::string_view session, Instant now, Duration expire) {
  std::uint64_t hash = keyed_hash(secret_, session);
  Shard& shard = shard_of(hash);
  std::scoped_lock lock(shard.mutex);
  auto found = shard.entries.find(hash);
  if (found == shard.entries.end()) return 0;
  Entry& entry = found->second;
  if (now - entry.used > expire) {
    shard.forget(entry);
    return 0;
  }
  entry.used = now;
  shard.by_use.push_back(entry);
  return entry.mark;
}

void Sessions::move(std::string_view session, std::uint64_t mark) {
  std::uint64_t hash = keyed_hash(secret_, session);
  Shard& shard = shard_of(hash);
  std::scoped_lock lock(shard.mutex);
  auto found = shard.entries.find(hash);
  if (found != shard.entries.end()) found->second.mark = mark;
}

std::size_t Sessions::size() const {
  std::size_t sum = 0;
  for (const Shard& shard : shards_) {
    std::scoped_lock lock(shard.mutex);
    sum += shard.entries.size();
  }
  return sum;
}

}  // namespace lockgate::proxy
