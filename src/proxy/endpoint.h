// Endpoint: one server of an upstream, as all workers and the health checks see it.
//
// Its counts and its health are promises of the process, so they are atomics shared
// by all threads. It lives as long as anything uses it, across reloads and changes of
// its addresses.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "config/config.h"
#include "proxy/gate.h"
#include "proxy/histogram.h"

namespace lockgate::proxy {

/// What the operator has said of an endpoint: whoever sticks to one that is draining may go on, and nobody
/// uses one that is disabled.
enum class Administration : std::uint8_t { enabled, draining, disabled };
std::string_view name_of(Administration administration);

class Endpoint {
 public:
  /// The share of one that gets all of its weight.
  static constexpr std::uint32_t kWhole = 1000;

  /// What is counted of requests, by one worker; `idle` goes down, too.
  struct alignas(64) Row {
    Counter requests;       // that it was asked
    Counter failures;       // of them, those that it did not answer, or not to the end
    Counter server_errors;  // answers of 5xx
    Counter idle;           // connections that wait in the worker's pool
    Histogram answers;      // from the request sent until the answer
  };

  /// `freed` is called when a connection has left it that somebody waits for.
  explicit Endpoint(
      std::string label, std::size_t workers = 1, Gate::Freed freed = [] {})
      : label_(std::move(label)),
        workers_(workers),
        rows_(std::make_unique<Row[]>(workers)),
        gate_(0, std::move(freed)) {}

  /// Its URL as written; of a service, the target's name and port.
  const std::string& label() const { return label_; }

  bool up() const { return up_.load(std::memory_order_relaxed); }
  void set_up(bool up) { up_.store(up, std::memory_order_relaxed); }
  bool ejected(Instant now) const { return ejected_until_.load(std::memory_order_relaxed) > now.nanoseconds; }
  bool usable(Instant now) const { return up() && !ejected(now); }

  /// By the operator. One that is enabled again has come back.
  void administer(Administration administration, Instant now);
  Administration administration() const { return administration_.load(std::memory_order_relaxed); }
  /// Whether it may be picked for whoever comes; else connections to it are not kept for later.
  bool takes_new() const { return administration() == Administration::enabled; }
  /// Whether it may be picked for whoever sticks to it, because of a session there.
  bool takes_known() const { return administration() != Administration::disabled; }

  /// It is used again from `now` on, after it was not; the end of an ejection is noticed without.
  void came_back(Instant now) { back_since_.store(now.nanoseconds, std::memory_order_relaxed); }
  /// How much of its weight it gets, in parts of kWhole: all of it but for `slow_start` after it came back.
  std::uint32_t share(Instant now, Duration slow_start) const;

  void connect_succeeded();
  /// True if this failure was the one that ejects it.
  bool connect_failed(Instant now, const config::Ejection& ejection);
  /// What came of a request to it: an answer that speaks of no trouble of its own, or not. True if it is
  /// ejected for that.
  bool answered(bool well, Instant now, const config::Ejection& ejection);

  /// Why its last health check failed, if it did. Only the keeper's thread may ask and tell.
  const std::string& fault() const { return fault_; }
  void set_fault(std::string fault) { fault_ = std::move(fault); }

  /// The row of one worker; only that worker's thread writes it.
  Row& row(std::size_t worker) const { return rows_[worker]; }
  std::span<const Row> rows() const { return {rows_.get(), workers_}; }

  /// Where connections go in and out; each of its upstream's plans has a limit of its own.
  Gate& gate() { return gate_; }
  /// Connections, and requests under way; those that wait for a request do not count.
  std::uint32_t connections() const { return gate_.inside(); }
  std::uint64_t successes() const { return successes_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  void eject(Instant until) { ejected_until_.store(until.nanoseconds, std::memory_order_relaxed); }

  std::string label_;
  std::size_t workers_;
  std::unique_ptr<Row[]> rows_;
  Gate gate_;
  std::atomic<bool> up_ = true;
  std::atomic<std::uint32_t> failures_in_row_ = 0;
  std::atomic<std::uint32_t> bad_answers_in_row_ = 0;
  std::atomic<std::int64_t> ejected_until_ = 0, back_since_ = 0;  // 0: never was
  std::atomic<Administration> administration_ = Administration::enabled;
  std::string fault_;
  std::atomic<std::uint64_t> successes_ = 0, failures_ = 0;
};

/// The host of its URL, with the port if that is written, as a request names it.
std::string_view authority_of(const Endpoint& endpoint);

/// A connection, or a request under way, counted at its endpoint for as long as this lives.
class AtEndpoint {
 public:
  AtEndpoint() = default;
  explicit AtEndpoint(std::shared_ptr<Endpoint> endpoint) : AtEndpoint(std::move(endpoint), 0) {}
  /// At none if there are `most` already; 0 stands for any number.
  AtEndpoint(std::shared_ptr<Endpoint> endpoint, std::uint32_t most) {
    if (endpoint->gate().enter(most)) endpoint_ = std::move(endpoint);
  }
  AtEndpoint(AtEndpoint&& other) noexcept : endpoint_(std::move(other.endpoint_)) {}
  AtEndpoint& operator=(AtEndpoint&& other) noexcept {
    endpoint_.swap(other.endpoint_);
    return *this;
  }
  ~AtEndpoint() {
    if (endpoint_) endpoint_->gate().leave();
  }
  const Endpoint* endpoint() const { return endpoint_.get(); }

 private:
  std::shared_ptr<Endpoint> endpoint_;
};

/// An endpoint that can be connected to now.
struct Target {
  std::shared_ptr<Endpoint> endpoint;
  std::vector<SocketAddress> addresses;  // in the order to try
  std::uint32_t weight = 1;
  bool backup = false;
  bool tls = false;
  std::string host{};  // whom its certificate has to name
  std::optional<std::uint32_t>
      via{};               // number of the parent through which it is reached; then it has no addresses
  std::string far_host{};  // for the parent: a name or an address
  std::uint16_t far_port = 0;
  std::string name{};                 // its own, as cookies may tell it; mostly empty
  std::uint64_t mark = 0;             // by which it is known in cookies, see mark_of()
  std::uint32_t max_connections = 0;  // 0: any number

  bool has_room() const { return max_connections == 0 || endpoint->connections() < max_connections; }
};

/// The targets of an upstream at one moment. Never changed; a new answer of the resolver makes a new one.
using Targets = std::vector<Target>;

}  // namespace lockgate::proxy
