// TcpStream: a connected TCP or Unix stream socket, registered once, edge-triggered.
//
// After a short read it does not ask again until the next edge, unless the peer's
// end was announced: then it reads until the end, because a FIN that arrived with
// the data brings no second edge.
#pragma once
#include <sys/types.h>

#include "base/address.h"
#include "base/fd.h"
#include "loop/reactor.h"
#include "net/socket_options.h"
#include "net/stream.h"

namespace lockgate::net {

/// The address that a connected socket has on this machine.
SocketAddress local_address(int fd);

/// Whether a socket that has connected to `to` met nobody but itself: the kernel gave it as its own port the
/// very one that it asked for, on which nobody listens.
bool met_itself(int fd, const SocketAddress& to);

/// Closing the socket resets its connection, and throws away what was not yet sent.
void reset_on_close(int fd);

class TcpStream final : public Stream, private loop::Watched {
 public:
  /// Takes over a connected or connecting non-blocking socket; `no_resources` if it cannot be watched.
  static Result<std::unique_ptr<TcpStream>> adopt(loop::Reactor& reactor, Fd fd);
  /// Begins to connect; writable() tells that it was decided, connected() how.
  static Result<std::unique_ptr<TcpStream>> connect(loop::Reactor& reactor, const SocketAddress& to,
                                                    const SocketOptions& options);

  /// The outcome of connecting, once writable() is true.
  Result<void> connected() const;

  Result<Arrived> read_some(Room room) override;
  Result<std::size_t> write_some(Bytes bytes) override;
  Result<std::size_t> write_parts(std::span<const Bytes> parts) override;
  Result<bool> finish(Ending ending) override;
  void abort() override;
  int plain_descriptor() const override { return fd_.number(); }
  Error why_broken(const char* doing) const override;

 private:
  TcpStream(loop::Reactor& reactor, Fd fd) : Stream(reactor), fd_(std::move(fd)) {}
  void edges(std::uint32_t events) override;
  Result<std::size_t> sent(ssize_t outcome, std::size_t wanted);

  Fd fd_;
  bool ending_ = false;  // RDHUP, HUP or ERR was seen: read until the end
};

}  // namespace lockgate::net
