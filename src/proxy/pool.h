// Pool: connections to upstreams that wait for their next call, newest first.
//
// One per worker, so that nobody locks. What a connection was opened for is its key:
// two calls share one only if they would have opened the same. A connection in which
// anything happens while it waits is dropped. One thread.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/list.h"
#include "http/client1.h"
#include "loop/reactor.h"
#include "proxy/endpoint.h"
#include "proxy/facts.h"
#include "proxy/upstream.h"
#include "tls/client_side.h"

namespace lockgate::proxy {

/// What a connection is opened for: an endpoint is one of an upstream, with its address and its parent;
/// `side` has trust, certificate and protocols, and is null without TLS; `identity` is that of a client of
/// which the upstream is told, and mostly empty; `parent` is the one on the way, if any, which is asked
/// itself where it is `of_parent`, and has opened a tunnel otherwise.
struct PoolKey {
  const Endpoint* endpoint = nullptr;
  const tls::ClientSide* side = nullptr;
  std::string_view identity = {};
  const UpstreamView* parent = nullptr;
  bool of_parent = false;
  bool operator==(const PoolKey&) const = default;
};

class Pool;

/// A connection to an upstream, and how it was reached.
class UpstreamConnection final : public ListNode, private net::StreamOwner {
 public:
  UpstreamConnection(std::unique_ptr<http::Client1> opened, const PoolKey& key,
                     std::shared_ptr<Endpoint> endpoint, std::shared_ptr<tls::ClientSide> side,
                     std::shared_ptr<UpstreamView> parent = nullptr);

  PoolKey key() const { return {endpoint_.get(), side_.get(), identity_, parent_.get(), of_parent_}; }
  /// Whether requests on it are for a parent, which makes them for us.
  bool is_of_parent() const { return of_parent_; }

  std::unique_ptr<http::Client1> client;
  Way way;
  AtEndpoint at_parent;

 private:
  friend class Pool;
  struct Look final : loop::Runnable {
    explicit Look(UpstreamConnection& owner) : connection(owner) {}
    void run() override;
    UpstreamConnection& connection;
  };
  void stream_changed() override { client->stream().reactor().enqueue(look_); }
  bool is_good() const { return !client->stream().readable() && !client->stream().broken(); }

  std::shared_ptr<Endpoint> endpoint_;
  std::shared_ptr<tls::ClientSide> side_;
  std::string identity_;
  std::shared_ptr<UpstreamView> parent_;
  bool of_parent_;
  Pool* pool_ = nullptr;  // while it waits in one
  Look look_{*this};
  loop::Timer timer_{look_};
};

class Pool {
 public:
  /// `worker` is the number of the one that has it, where its endpoints count.
  explicit Pool(loop::Reactor& reactor, std::size_t worker = 0) : reactor_(reactor), worker_(worker) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The connection that was given last, if it is still good; null if there is none.
  std::unique_ptr<UpstreamConnection> take(const PoolKey& key);
  /// Keeps it for the next call, but no longer than `patience`; not one whose endpoint takes no new calls, or
  /// has `most` waiting already.
  void give(std::unique_ptr<UpstreamConnection> connection, Duration patience, std::size_t most = 1024);
  /// Connections that wait.
  std::size_t size() const { return size_; }
  /// Closes what waits for calls to this endpoint.
  void drop_all(const Endpoint& endpoint);
  /// Forgets what it knows of keys that nobody may ask for any more.
  void forget_empty();

 private:
  friend struct UpstreamConnection::Look;
  /// What it is found by. The pointers are compared, and never followed.
  struct Label {
    const Endpoint* endpoint;
    const tls::ClientSide* side;
    std::string identity;
    const UpstreamView* parent;
    bool of_parent;
    operator PoolKey() const { return {endpoint, side, identity, parent, of_parent}; }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const PoolKey& key) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const PoolKey& a, const PoolKey& b) const { return a == b; }
  };
  struct Shelf {
    List<UpstreamConnection> idle;  // the newest first
    std::size_t size = 0;
  };
  using Shelves = std::unordered_map<Label, Shelf, Hash, Equal>;

  std::unique_ptr<UpstreamConnection> release(UpstreamConnection& connection, Shelves::iterator shelf);
  void drop(UpstreamConnection& connection);

  loop::Reactor& reactor_;
  std::size_t worker_;
  Shelves shelves_;
  std::size_t size_ = 0;
};

}  // namespace lockgate::proxy
