// Reception: takes connections from listening sockets and serves each in a task of its
// own, at most so many at once.
//
// It is for the small servers of the process itself, the admin address, the control
// socket and the demo origin, all on the process's own thread. Destroying a reception
// cancels all that it serves.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/fd.h"
#include "loop/scope.h"
#include "net/stream.h"

namespace lockgate::server {

class Reception {
 public:
  /// Serves one connection until it is over; the peer's address is the socket's.
  using Serve = std::function<loop::Task<void>(net::AnyStream stream, SocketAddress peer)>;

  /// What a connection too many does: it goes at once, or in place of the oldest one.
  enum class WhenFull : std::uint8_t { refuse, replace };

  Reception(loop::Reactor& reactor, std::size_t most, WhenFull when_full, Serve serve);
  ~Reception();

  /// Accepts from a listening socket from now on.
  void open(Fd listening);
  /// Connections being served.
  std::size_t connections() const { return connections_.size(); }

 private:
  class Door;

  void accepted(Fd fd, const SocketAddress& peer);

  loop::Reactor& reactor_;
  std::size_t most_;
  WhenFull when_full_;
  Serve serve_;
  std::vector<std::unique_ptr<Door>> doors_;
  loop::Scope connections_;
};

}  // namespace lockgate::server
