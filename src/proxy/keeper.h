// Keeper: keeps the upstreams' targets resolved and checked, and tells the workers.
//
// It runs on the process's own thread, so no connection ever waits for a resolver once
// a name has been answered. A name's last good answer stays in use while new ones fail.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "loop/scope.h"
#include "loop/turns.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/pool.h"
#include "proxy/upstream.h"

namespace lockgate::proxy {

class Keeper {
 public:
  /// Called on the keeper's thread whenever an upstream has new targets.
  using Publish = std::function<void(std::shared_ptr<const Upstream>, std::shared_ptr<const Targets>)>;

  /// `workers` is how many count what they do with its endpoints; `freed` is called on any thread when a
  /// connection has left an endpoint that somebody waits for.
  Keeper(
      loop::Reactor& reactor, net::Connector& connector, Journal& journal, Publish publish,
      std::size_t workers = 1, Gate::Freed freed = [] {});
  ~Keeper();

  /// The upstream that stands for `config`: the same one as long as nothing of it changes, so that its
  /// targets, counts and health carry over. Starts to keep it if it is new.
  std::shared_ptr<const Upstream> keep(const config::Upstream& config,
                                       const std::vector<SocketAddress>& name_servers);
  /// Checks go through the parents and use the TLS of this plan, whose upstreams are all kept; `thread` is
  /// ours among those that it has sides for.
  void take_plan(const Plan& plan, std::size_t thread);
  /// What is known of an upstream now; null before the first answer.
  std::shared_ptr<const Targets> targets(const Upstream& upstream) const;
  /// Forgets all other upstreams. Connections that have one of them still go on with the targets that they
  /// know.
  void keep_only(const std::vector<std::shared_ptr<const Upstream>>& used);

  /// The resolver that asks these name servers; none stand for the system's.
  std::shared_ptr<net::Resolver> resolver(const std::vector<SocketAddress>& name_servers);

  /// Calls `see(upstream, targets)` for each, targets null if unknown.
  void each(const std::function<void(const Upstream&, const Targets*)>& see) const;

 private:
  class Kept;

  std::shared_ptr<Commons> commons_of(const std::string& upstream);

  loop::Reactor& reactor_;
  Journal& journal_;
  Publish publish_;
  std::size_t workers_;
  Gate::Freed freed_;
  std::map<std::string, std::weak_ptr<net::Resolver>> resolvers_;  // by name servers
  loop::Turns turns_;                                              // of questions
  std::unordered_map<const Upstream*, Kept*> by_upstream_;
  net::Buffers buffers_;
  http::Desk desk_{buffers_};
  Pool pool_;  // nothing waits in it
  tls::Scratch records_, parent_records_;
  loop::WaitSlot place_freed_;  // nobody waits at it
  House house_;                 // of checks
  std::map<std::string, std::unique_ptr<Kept>> kept_;
  std::map<std::string, std::shared_ptr<Endpoint>> endpoints_;  // by upstream and label
  std::map<std::string, std::weak_ptr<Commons>> commons_;       // by upstream
};

}  // namespace lockgate::proxy
