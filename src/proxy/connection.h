// Connection: one client from its accept to its line in the access log.
//
// Set-up is a story (serve) that reads top to bottom; when it is over its frames are
// gone, and what is left is this record with a parked relay, or with the server that
// answers its requests. One thread; its owner destroys it when told that it is over.
#pragma once
#include <memory>
#include <optional>

#include "base/list.h"
#include "http/server1.h"
#include "net/relay.h"
#include "proxy/connection_rates.h"
#include "proxy/dial.h"
#include "proxy/facts.h"
#include "proxy/gate.h"
#include "proxy/greet.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/reverse.h"

namespace lockgate::proxy {

class Connection;

class ConnectionOwner {
 public:
  /// Everything is logged and counted; the owner may destroy it.
  virtual void connection_over(Connection& connection) = 0;
  /// The plan that new connections follow; may be changed between two turns.
  virtual const std::shared_ptr<WorkerPlan>& newest_plan() const = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// The places that a connection takes in the limits of the process, its listener and its site, and in rates.
struct Places {
  Place process, listener, site;
  std::vector<guard::Counted> counted{};
};

class Connection final : public ListNode,
                         private loop::Completion,
                         private net::RelayOwner,
                         private http::Server1Owner {
 public:
  Connection(House& house, ConnectionOwner& owner, std::shared_ptr<WorkerPlan> plan,
             const ListenerPlan& listener, net::AnyStream client, Facts facts, Places places);
  ~Connection();

  /// Begins to serve; to be called once.
  void begin();
  /// No request will follow the one under way; what is merely relayed goes on.
  void close_soon();
  /// Ends it soon, whatever it is doing, and tells the log why. Not to be called by its own story.
  void cut(Errc why, const char* doing);

  const Facts& facts() const { return facts_; }
  const std::string& listener_name() const { return listener_.listener->name; }
  /// Whom it is for: the client, or the one that has asked for the tunnel that it has become.
  const SocketAddress& whom() const { return relay_ && reverse_ ? reverse_->client() : facts_.client; }
  bool serves_requests() const { return server_ && !relay_; }
  bool waits_for_request() const { return server_ && !relay_ && server_->is_idle(); }
  std::uint64_t bytes_up() const;
  std::uint64_t bytes_down() const;

 private:
  /// A turn of its own for what must not happen while the set-up is on the stack.
  struct Next final : loop::Runnable {
    explicit Next(Connection& owner) : connection(owner) {}
    void run() override { connection.set_up(); }
    Connection& connection;
  };

  loop::Task<void> serve();
  loop::Task<void> prepare();
  loop::Task<Dialled> join_sides();
  loop::Task<void> identify();
  loop::Task<void> open_tls(std::string alpn);
  loop::Task<Dialled> reach_upstream();
  tls::KeyLog key_log() const;
  loop::Task<void> take_place();
  Result<void> pass(const guard::RateList& rules);
  loop::Task<void> refuse_client(const Error& why);
  bool is_let_in(const guard::AnyAccess& access) const;
  void choose_site(const Greeting& greeting);
  void tell_debug(std::string_view what, std::string_view detail);
  void note_fingerprints(const Greeting& greeting);
  void start_relay(Dialled dialled);
  void start_server();
  void start_tunnel();

  void task_ended() noexcept override;
  void set_up();
  void relay_ended(const net::RelayEnd& end) override;
  void server_ended(const std::optional<Error>& why) override;
  void over(const net::RelayEnd& end);

  House& house_;
  ConnectionOwner& owner_;
  std::shared_ptr<WorkerPlan> plan_;
  const ListenerPlan& listener_;
  const SitePlan* site_ = nullptr;
  Facts facts_;
  Places places_;
  AtEndpoint at_, at_parent_;
  net::AnyStream client_;  // until the relay has it
  FirstFlight flight_;     // read of the client, not yet passed on
  std::string offered_;    // protocols that a client offers whose TLS ends here, as tls::alpn_list() makes it
  tls::TlsStream* client_tls_ = nullptr;    // the client's stream, if we speak TLS with it
  tls::TlsStream* upstream_tls_ = nullptr;  // the same of the upstream's, once the relay has it
  std::optional<loop::Task<void>> story_;
  std::optional<Error> cut_;
  bool closing_soon_ = false;
  std::unique_ptr<net::Relay> relay_;
  std::unique_ptr<Reverse> reverse_;  // where requests are read
  std::unique_ptr<http::Server1> server_;
  Next next_{*this};
};

}  // namespace lockgate::proxy
