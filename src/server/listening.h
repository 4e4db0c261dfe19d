// ListeningSockets: the sockets that this process listens on, keyed by address.
//
// A change is prepared as a whole before anything is touched: what stays is neither
// closed nor bound again, what is new is opened, what is gone is reported, to be
// emptied by the workers before it closes. The process's thread only.
#pragma once
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/listen.h"
#include "server/systemd.h"

namespace lockgate::server {

/// Whether the addresses of `config` can be bound. To be asked while this process may still see who holds a
/// port; the error says which listener and who.
std::expected<void, std::string> check_addresses(const config::Config& config);

class ListeningSockets {
 public:
  struct Socket {
    int fd = -1;
    SocketAddress address;
    std::string listener;  // the name of the one it serves
    bool shared = false;   // by all workers; else `worker` alone accepts from it
    bool given = false;    // by systemd, which makes and removes the path of a Unix socket itself
    std::size_t worker = 0;
  };
  /// What a change means to the workers.
  struct Change {
    std::vector<Socket> open;  // all that shall be accepted from, old and new
    std::vector<Socket> gone;  // to be emptied, then closed with close()
  };

  /// `given` are the sockets that systemd has handed over.
  explicit ListeningSockets(ActivatedSockets given) : given_(std::move(given)) {}

  /// Opens what `config` asks for and is not open yet. If any of it fails, nothing has changed and the error
  /// says which listener, why, and who holds the port.
  std::expected<Change, std::string> change_to(const config::Config& config, std::size_t workers);
  void close(const std::vector<Socket>& gone);
  /// Nobody accepts from any of them any more.
  void close_all();

  /// All that are accepted from.
  std::vector<Socket> sockets() const;
  /// Every address bound, with real ports.
  std::vector<SocketAddress> addresses() const;
  /// Those of one listener, each once.
  std::vector<SocketAddress> addresses_of(const std::string& listener) const;

 private:
  struct Held {
    Fd fd;
    Socket socket;
  };
  using Key = std::pair<std::string, std::size_t>;  // address as bound, worker

  std::expected<void, std::string> add(const config::Listener& listener, const config::Bind& bind,
                                       std::size_t workers, std::map<Key, Held>& next);
  std::expected<void, std::string> add_given(const config::Listener& listener, const config::Bind& bind,
                                             std::map<Key, Held>& next);
  bool holds_port_of(const SocketAddress& address) const;

  ActivatedSockets given_;
  std::map<Key, Held> held_;
};

}  // namespace lockgate::server
