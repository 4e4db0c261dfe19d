// Worker: one thread's share of the house. It accepts, serves and keeps its own
// connections; nothing of it is touched by other threads except through post().
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "net/listen.h"
#include "proxy/connection.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/pool.h"

namespace lockgate::proxy {

class Worker final : private ConnectionOwner {
 public:
  /// `number` counts from 0. `ids` gives connections their numbers, for all workers.
  Worker(const Clock& clock, Journal& journal, std::size_t number, std::atomic<std::uint64_t>& ids);
  ~Worker();

  /// Any thread: has `letter` called on the worker's thread.
  void post(loop::Letter letter) { reactor_.post(std::move(letter)); }
  /// The worker's thread: serves until stop().
  void run() { reactor_.run(); }
  /// Any thread.
  void stop() { reactor_.stop(); }
  loop::Reactor& reactor() { return reactor_; }

  // The rest is for the worker's thread.

  /// New connections follow this plan; `known` are its upstreams' targets, null where there are none yet.
  void take_plan(std::shared_ptr<const Plan> plan, const std::vector<std::shared_ptr<const Targets>>& known);
  void take_targets(const Upstream& upstream, std::shared_ptr<const Targets> targets);
  /// Accepts from `fd`, which stays the caller's, for the listener of that name in the plan taken last. A
  /// socket that is open already only changes its listener; one that is not opened again keeps to its old
  /// plan.
  void open(int fd, bool shared, const SocketAddress& address, const std::string& listener);
  /// Takes what waits in the backlog of `fd`, then leaves it alone.
  void close(int fd);
  void close_all();
  /// A place in some gate has come free.
  void place_freed();
  /// Closes connections to this endpoint that wait for a call.
  void drop_idle(const Endpoint& endpoint) { pool_.drop_all(endpoint); }
  /// Connections on which requests are read end with the one under way.
  void close_soon();
  /// Ends what is relayed or set up for clients that are banned by now; requests are refused one by one.
  void cut_banned();
  /// Ends all connections.
  void cut_all(Errc why, const char* doing);

  /// Connections being served now. Any thread.
  std::size_t connections() const { return count_.load(std::memory_order_relaxed); }
  std::size_t number() const { return house_.worker; }
  /// Calls `see(connection)` for each.
  template <class See>
  void each_connection(See see) {
    for (Connection* c = connections_.front(); c; c = connections_.after(*c)) see(*c);
  }

 private:
  class Door;

  Facts facts_of(const ListenerPlan& listener, int fd, const SocketAddress& peer, const SocketAddress& bound);
  void serve(const std::shared_ptr<WorkerPlan>& plan, const ListenerPlan& listener, Fd fd, Facts facts,
             Places places);
  void tell_refused(const Plan& plan, const ListenerPlan& listener, const Facts& facts, const Error& why);
  void connection_over(Connection& connection) override;
  const std::shared_ptr<WorkerPlan>& newest_plan() const override { return plan_; }

  loop::Reactor reactor_;
  net::Buffers buffers_;
  tls::Scratch records_, parent_records_;
  net::SystemConnector connector_{reactor_};
  http::Desk desk_{buffers_};
  Pool pool_;
  loop::WaitSlot place_freed_;
  House house_;
  std::atomic<std::uint64_t>& ids_;
  std::shared_ptr<WorkerPlan> plan_;
  std::vector<std::unique_ptr<Door>> doors_;
  List<Connection> connections_;
  std::atomic<std::size_t> count_ = 0;  // written by the worker's thread alone
};

}  // namespace lockgate::proxy
