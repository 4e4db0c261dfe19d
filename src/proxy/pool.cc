#include "proxy/pool.h"

#include <functional>

namespace lockgate::proxy {

// One connection that waits. Edges only mark it: it looks at them in its turn.
class Pool::Idle final : public ListNode, private net::StreamOwner {
 public:
  Idle(Pool& pool, Shelf& shelf, std::unique_ptr<UpstreamConnection> connection, Instant until)
      : pool_(pool), shelf_(shelf), connection_(std::move(connection)) {
    connection_->client->stream().set_owner(this);
    pool_.reactor_.start(timer_, until);
  }

  Shelf& shelf() { return shelf_; }
  bool is_good() {
    return !connection_->client->stream().readable() && !connection_->client->stream().broken();
  }
  std::unique_ptr<UpstreamConnection> release() {
    connection_->client->stream().set_owner(nullptr);
    return std::move(connection_);
  }

 private:
  struct Look final : loop::Runnable {
    explicit Look(Idle& owner) : idle(owner) {}
    void run() override { idle.look(); }
    Idle& idle;
  };
  void stream_changed() override { pool_.reactor_.enqueue(look_); }
  void look() {
    if (!is_good() || timer_.expired()) pool_.drop(*this);
  }

  Pool& pool_;
  Shelf& shelf_;
  std::unique_ptr<UpstreamConnection> connection_;
  Look look_{*this};
  loop::Timer timer_{look_};
};

std::size_t Pool::Hash::operator()(const PoolKey& key) const {
  std::size_t hash =
      std::hash<const void*>()(key.endpoint.get()) * 31 + std::hash<const void*>()(key.side.get());
  return key.identity.empty() ? hash : hash * 31 + std::hash<std::string>()(key.identity);
}

Pool::~Pool() {
  for (auto& [key, shelf] : shelves_) {
    while (Idle* idle = shelf.idle.front()) drop(*idle);
  }
}

std::unique_ptr<UpstreamConnection> Pool::take(const PoolKey& key) {
  auto found = shelves_.find(key);
  if (found == shelves_.end()) return nullptr;
  while (Idle* idle = found->second.idle.front()) {
    auto connection = idle->is_good() ? idle->release() : nullptr;
    drop(*idle);
    if (connection) return connection;
  }
  return nullptr;
}

void Pool::give(std::unique_ptr<UpstreamConnection> connection, Duration patience) {
  Shelf& shelf = shelves_[connection->key];
  if (shelf.size >= kMostOfKey) return;
  Instant until = patience > Duration::zero() ? reactor_.now() + patience : kNever;
  auto* idle = new Idle(*this, shelf, std::move(connection), until);
  shelf.idle.push_front(*idle);
  ++shelf.size;
  ++size_;
}

void Pool::drop(Idle& idle) {
  --idle.shelf().size;
  --size_;
  delete &idle;
}

}  // namespace lockgate::proxy
