// Pool: connections to upstreams that wait for their next call, newest first.
//
// One per worker, so that nobody locks. What a connection was opened for is its key:
// two calls share one only if they would have opened the same. A connection in which
// anything happens while it waits is dropped. One thread.
#pragma once
#include <memory>
#include <string>
#include <unordered_map>

#include "base/list.h"
#include "http/client1.h"
#include "loop/reactor.h"
#include "proxy/endpoint.h"
#include "proxy/facts.h"
#include "tls/client_side.h"

namespace lockgate::proxy {

/// What a connection was opened for. An endpoint is one of an upstream, with its address and its parent.
struct PoolKey {
  std::shared_ptr<Endpoint> endpoint;
  std::shared_ptr<tls::ClientSide> side;  // trust, certificate, protocols; null without TLS
  std::string identity;                   // of the client, where the upstream was told of it
  bool operator==(const PoolKey&) const = default;
};

/// A connection to an upstream, and how it was reached.
struct UpstreamConnection {
  std::unique_ptr<http::Client1> client;
  tls::TlsStream* tls = nullptr;  // its stream, if it is one
  PoolKey key;
  Way way;
  AtEndpoint at_parent;
  std::uint32_t calls = 0;  // that it has served
};

class Pool {
 public:
  explicit Pool(loop::Reactor& reactor) : reactor_(reactor) {}
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The connection that was given last, if it is still good; null if there is none.
  std::unique_ptr<UpstreamConnection> take(const PoolKey& key);
  /// Keeps it for the next call, but no longer than `patience`.
  void give(std::unique_ptr<UpstreamConnection> connection, Duration patience);
  std::size_t size() const { return size_; }

 private:
  class Idle;
  struct Hash {
    std::size_t operator()(const PoolKey& key) const;
  };
  static constexpr std::size_t kMostOfKey = 1024;
  struct Shelf {
    List<Idle> idle;  // the newest first
    std::size_t size = 0;
  };
  void drop(Idle& idle);

  loop::Reactor& reactor_;
  std::unordered_map<PoolKey, Shelf, Hash> shelves_;
  std::size_t size_ = 0;
};

}  // namespace lockgate::proxy
