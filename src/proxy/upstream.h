// Upstream: the servers behind a site, as the process knows them and as a worker sees
// them.
//
// The process has one Upstream for all workers; it stays while the configuration asks
// for the same one. A worker has a View: the newest targets that it was told, and its
// own balancer.
#pragma once
#include <memory>
#include <vector>

#include "config/config.h"
#include "loop/wait.h"
#include "net/socket_options.h"
#include "proxy/balance.h"
#include "proxy/endpoint.h"
#include "tls/client_side.h"
#include "wire/credentials.h"

namespace lockgate::proxy {

/// What never changes of an upstream. Any thread.
struct Upstream {
  explicit Upstream(config::Upstream given) : config(std::move(given)) {}
  const config::Upstream config;
};

struct UpstreamView;

/// A parent as an upstream's view has it.
struct ParentView {
  std::shared_ptr<UpstreamView> upstream;                // the parent's own
  std::shared_ptr<const wire::Credentials> credentials;  // null: none
};

/// A worker's view of an upstream. One thread.
struct UpstreamView {
  UpstreamView(std::shared_ptr<const Upstream> of, std::shared_ptr<const Targets> known, std::uint64_t seed)
      : upstream(std::move(of)),
        targets(std::move(known)),
        balancer(upstream->config.balance, seed, upstream->config.slow_start) {}

  std::shared_ptr<const Upstream> upstream;
  std::shared_ptr<const Targets> targets;  // null until the first answer of the resolver
  Balancer balancer;
  std::shared_ptr<tls::ClientSide> client_side;  // null unless an endpoint wants TLS
  std::vector<ParentView> parents;               // by number; of a parent's own view there are none
  loop::WaitSlot news;                           // woken whenever `targets` is set
};

net::SocketOptions socket_options(const config::Tcp& tcp);

}  // namespace lockgate::proxy
