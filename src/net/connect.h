// Connecting to one of an endpoint's addresses: happy eyeballs (RFC 8305).
//
// Addresses are tried in order, IPv6 and IPv4 in turn; each has a head start over
// the next, which ends early if an attempt fails, and the first that answers wins.
// Destroying the task gives all up.
#pragma once
#include <span>
#include <vector>

#include "base/address.h"
#include "loop/task.h"
#include "net/socket_options.h"
#include "net/stream.h"

namespace lockgate::net {

struct Connected {
  AnyStream stream;
  SocketAddress address;  // the one that answered
};

/// Sorts addresses so that the families take turns, the first one's family first (RFC 8305, 4).
std::vector<SocketAddress> interleaved(std::span<const SocketAddress> addresses);

/// How the stories reach the network; tests have one made of memory.
class Connector {
 public:
  virtual ~Connector() = default;
  /// Fails with the last address's error, or `timed_out` at the deadline. `addresses` are not empty and stay
  /// where they are until then.
  virtual loop::Task<Connected> connect(std::span<const SocketAddress> addresses, SocketOptions options,
                                        Instant deadline) = 0;
};

class SystemConnector final : public Connector {
 public:
  explicit SystemConnector(loop::Reactor& reactor) : reactor_(reactor) {}
  loop::Task<Connected> connect(std::span<const SocketAddress> addresses, SocketOptions options,
                                Instant deadline) override;

 private:
  loop::Reactor& reactor_;
};

}  // namespace lockgate::net
