#include "proxy/pool.h"

#include <functional>

namespace lockgate::proxy {

UpstreamConnection::UpstreamConnection(std::unique_ptr<http::Client1> opened, const PoolKey& key,
                                       std::shared_ptr<Endpoint> endpoint,
                                       std::shared_ptr<tls::ClientSide> side,
                                       std::shared_ptr<UpstreamView> parent)
    : client(std::move(opened)),
      endpoint_(std::move(endpoint)),
      side_(std::move(side)),
      identity_(key.identity),
      parent_(std::move(parent)),
      of_parent_(key.of_parent) {}

// Edges only bring it here: what they mean is looked at in its turn, and so is its time.
void UpstreamConnection::Look::run() {
  if (!connection.pool_) return;
  if (!connection.is_good() || connection.timer_.expired()) connection.pool_->drop(connection);
}

std::size_t Pool::Hash::operator()(const PoolKey& key) const {
  std::size_t hash = std::hash<const void*>()(key.endpoint) * 31 + std::hash<const void*>()(key.side);
  if (key.parent) hash = hash * 31 + std::hash<const void*>()(key.parent);
  return key.identity.empty() ? hash : hash * 31 + std::hash<std::string_view>()(key.identity);
}

Pool::~Pool() {
  for (auto shelf = shelves_.begin(); shelf != shelves_.end(); ++shelf) {
    while (UpstreamConnection* idle = shelf->second.idle.front()) release(*idle, shelf);
  }
}

std::unique_ptr<UpstreamConnection> Pool::take(const PoolKey& key) {
  auto shelf = shelves_.find(key);
  if (shelf == shelves_.end()) return nullptr;
  std::unique_ptr<UpstreamConnection> good;
  while (UpstreamConnection* idle = good ? nullptr : shelf->second.idle.front()) {
    auto connection = release(*idle, shelf);
    if (connection->is_good()) good = std::move(connection);
  }
  // A client comes back with the same connection or not at all.
  if (shelf->second.size == 0 && !key.identity.empty()) shelves_.erase(shelf);
  return good;
}

void Pool::give(std::unique_ptr<UpstreamConnection> connection, Duration patience, std::size_t most) {
  if (!connection->endpoint_->takes_new()) return;
  if (connection->endpoint_->row(worker_).idle.value() >= most) return;
  PoolKey key = connection->key();
  auto shelf = shelves_.find(key);
  if (shelf == shelves_.end())
    shelf =
        shelves_.try_emplace({key.endpoint, key.side, std::string(key.identity), key.parent, key.of_parent})
            .first;
  UpstreamConnection& idle = *connection.release();
  idle.pool_ = this;
  idle.client->stream().set_owner(&idle);
  reactor_.start(idle.timer_, patience > Duration::zero() ? reactor_.now() + patience : kNever);
  shelf->second.idle.push_front(idle);
  ++shelf->second.size;
  ++size_;
  idle.endpoint_->row(worker_).idle.add(1);
}

std::unique_ptr<UpstreamConnection> Pool::release(UpstreamConnection& connection, Shelves::iterator shelf) {
  --shelf->second.size;
  --size_;
  connection.endpoint_->row(worker_).idle.take(1);
  connection.ListNode::unlink();
  connection.pool_ = nullptr;
  connection.timer_.stop();
  connection.client->stream().set_owner(nullptr);
  return std::unique_ptr<UpstreamConnection>(&connection);
}

void Pool::drop(UpstreamConnection& connection) {
  auto shelf = shelves_.find(connection.key());
  auto gone = release(connection, shelf);
  if (shelf->second.size == 0 && !gone->key().identity.empty()) shelves_.erase(shelf);
}

void Pool::drop_all(const Endpoint& endpoint) {
  for (auto shelf = shelves_.begin(); shelf != shelves_.end(); ++shelf) {
    if (shelf->first.endpoint != &endpoint) continue;
    while (UpstreamConnection* idle = shelf->second.idle.front()) release(*idle, shelf);
  }
}

void Pool::forget_empty() {
  std::erase_if(shelves_, [](const auto& shelf) { return shelf.second.size == 0; });
}

}  // namespace lockgate::proxy
