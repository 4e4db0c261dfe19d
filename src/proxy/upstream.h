// Upstream: the servers behind a site, as the process knows them and as a worker sees
// them.
//
// The process has one Upstream for all workers; it stays while the configuration asks
// for the same one. A worker has a View: the newest targets that it was told, and its
// own balancer.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "loop/wait.h"
#include "net/socket_options.h"
#include "proxy/balance.h"
#include "proxy/endpoint.h"
#include "proxy/queue.h"
#include "proxy/retry_budget.h"
#include "proxy/sessions.h"
#include "tls/client_side.h"
#include "wire/credentials.h"

namespace lockgate::proxy {

/// What all workers share of an upstream, beside its endpoints; it outlives changes of its configuration. Any
/// thread.
struct Commons {
  std::unique_ptr<Sessions> sessions;  // null until an application's cookie is wanted
  Gate queue{0, [] {}};                // who waits for an endpoint
  std::atomic<std::uint64_t> queued = 0, turned_away = 0, retries_saved = 0;
};

/// What never changes of an upstream. Any thread.
struct Upstream {
  explicit Upstream(config::Upstream given, std::shared_ptr<Commons> shared = std::make_shared<Commons>());
  const config::Upstream config;
  const std::shared_ptr<Commons> commons;
};

struct UpstreamView;

/// A parent as an upstream's view has it.
struct ParentView {
  std::shared_ptr<UpstreamView> upstream;                // the parent's own
  std::shared_ptr<const wire::Credentials> credentials;  // null: none
  bool takes_requests = false;                           // for plain HTTP, in absolute form
  std::string authorization{};                           // what such a request's Proxy-Authorization says
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
  RetryBudget retry_budget;
  std::unique_ptr<Queue> queue;                  // null until somebody has waited
  std::shared_ptr<tls::ClientSide> client_side;  // null unless an endpoint wants TLS
  std::vector<ParentView> parents;               // by number; of a parent's own view there are none
  loop::WaitSlot news;                           // woken whenever `targets` is set
};

net::SocketOptions socket_options(const config::Tcp& tcp);

}  // namespace lockgate::proxy
