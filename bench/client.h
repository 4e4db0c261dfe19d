// Client: the connections of one run. Everything outstanding is awaited, so it ends only when all work is
// done.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "channel.h"
#include "socket.h"
#include "speech.h"
#include "tls.h"

namespace lockgate::bench {

enum class Language : std::uint8_t { bare, http, websocket };

/// What a client is to do.
struct Work {
  Opening opening = Opening::hello;
  Language language = Language::bare;
  std::string path;                  // of requests in HTTP: what precedes the size
  std::vector<std::uint16_t> ports;  // by turns
  std::uint64_t connections = 0;     // at the same time
  std::uint64_t answer = 0;          // bytes
  std::uint64_t total = 0;           // requests of relay, connections of connect
  std::uint64_t each = 0;            // requests per connection, of connect
  std::uint64_t at_once = 0;         // connections at work, of relay
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
    std::unique_ptr<Asker> asker;
    bool open = false;      // the handshake is over, if there is one
    bool resuming = false;  // by a ticket
    std::uint64_t requests = 0;
  };

  void open();
  void connect(std::uint64_t total);
  std::unique_ptr<Asker> new_asker() const;
  static void send(Connection& connection, std::span<const std::uint8_t> bytes);
  static void ask(Connection& connection, std::uint64_t size) {
    send(connection, connection.asker->ask(size));
  }
  bool begin(Connection& connection) const;
  bool receive(Connection& connection);

  /// Waits once, and calls `then` for each connection whose handshake, flight or answer is complete.
  template <typename Then>
  void for_each_finished(Then then) {
    begin_all(then);
    for (const epoll_event& event : epoll_.wait()) {
      auto& connection = *static_cast<Connection*>(event.data.ptr);
      if (connection.open ? receive(connection) : begin(connection)) then(connection);
      if (!tls_) begin_all(then);  // in plain the proxy need not wait for the first bytes
    }
  }
  template <typename Then>
  void begin_all(Then then) {
    while (!begun_.empty()) {  // the first step may already be the last, if the answer is quick
      Connection& connection = *begun_.back();
      begun_.pop_back();
      if (begin(connection)) then(connection);
    }
  }

  Work work_;
  std::optional<TlsClient> tls_;
  bool has_tickets_ = false;
  std::size_t opened_ = 0;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(256UL * 1024);
  std::vector<Connection*> begun_;  // and nothing is sent yet
  std::vector<Connection*> idle_;
  Epoll epoll_;
};

/// Sends a hello with another name and expects the end of the connection, after a TLS alert at most.
void expect_refusal(std::uint16_t port);

}  // namespace lockgate::bench
