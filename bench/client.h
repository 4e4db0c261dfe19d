// Client: the connections of one run. Everything outstanding is awaited, so it ends only when all work is
// done.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "channel.h"
#include "pattern.h"
#include "socket.h"
#include "tls.h"

namespace lockgate::bench {

/// What a client is to do.
struct Work {
  Opening opening = Opening::hello;
  std::vector<std::uint16_t> ports;  // by turns
  std::uint64_t connections = 0;     // at the same time
  std::uint64_t answer = 0;          // bytes
  std::uint64_t total = 0;           // requests of relay, connections of connect
  std::uint64_t each = 0;            // requests per connection, of connect
};

class Client {
 public:
  explicit Client(Work work);

  /// Opens all connections, `connections` in all, and sends one request for a small answer on each.
  void open_all();
  /// The requests of `relay` over what open_all() opened.
  void relay();
  /// Gets the tickets with which connect() comes back.
  void get_tickets();
  /// The connections of `connect`, each closed by this side.
  void connect() { connect(work_.total); }

 private:
  struct Connection {
    Channel channel;
    bool open = false;           // the handshake is over, if there is one
    bool resuming = false;       // by a ticket
    std::uint64_t expected = 0;  // bytes that are still to come
    std::uint64_t received = 0;  // bytes of this flight or answer
    std::uint64_t requests = 0;
  };

  void open();
  void connect(std::uint64_t total);
  static void send(Connection& connection, std::span<const std::uint8_t> bytes, std::uint64_t expected);
  bool shake_hands(Connection& connection) const;
  bool receive(Connection& connection);

  /// Waits once, and calls `then` for each connection whose handshake, flight or answer is complete.
  template <typename Then>
  void for_each_finished(Then then) {
    while (!begun_.empty()) {  // the first step may already be the last, if the answer is quick
      Connection& connection = *begun_.back();
      begun_.pop_back();
      if (shake_hands(connection)) then(connection);
    }
    for (const epoll_event& event : epoll_.wait()) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if (connection.open ? receive(connection) : shake_hands(connection)) then(connection);
    }
  }

  Work work_;
  Request request_;
  std::optional<TlsClient> tls_;
  bool has_tickets_ = false;
  std::size_t opened_ = 0;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(256UL * 1024);
  std::vector<Connection*> begun_;  // in TLS, and nothing is sent yet
  std::vector<Connection*> idle_;
  Epoll epoll_;
};

/// Sends a hello with another name and expects the end of the connection, after a TLS alert at most.
void expect_refusal(std::uint16_t port);

}  // namespace lockgate::bench
