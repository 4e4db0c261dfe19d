// Listening sockets, and the Acceptor that takes connections from one.
//
// The process opens the sockets and owns them; each worker has an Acceptor per
// socket. Accepted sockets inherit the listening socket's options, so an accept is
// one system call.
#pragma once
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/reactor.h"
#include "net/socket_options.h"

namespace lockgate::net {

struct ListenOptions {
  int backlog = 4096;
  bool both_families = false;  // an IPv6 socket that takes IPv4 too; otherwise V6ONLY is always set
  bool shared_port = true;     // SO_REUSEPORT: one socket per worker
  unsigned unix_mode = 0777;   // of a Unix socket's file, less the umask
  SocketOptions socket;
};

/// Opens, binds and listens; non-blocking. A Unix path left behind by a process that has ended is replaced.
Result<Fd> listen(const SocketAddress& at, const ListenOptions& options);

/// Gives a socket that listens already the backlog and the socket options of `options`.
void tune(int fd, const ListenOptions& options);

/// Who holds a port: "nginx (pid 812)"; "a process of user www-data" where more cannot be seen; empty if
/// nobody does. Reads /proc; slow, for error messages.
std::string holder_of(const SocketAddress& at);

class Acceptor : private loop::Watched, private loop::Runnable {
 public:
  /// `fd` stays the caller's. `shared` with other workers: each connection wakes only one of them.
  Acceptor(loop::Reactor& reactor, int fd, bool shared);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Stops taking connections; they wait in the backlog until resume().
  void pause() { paused_ = true; }
  void resume();
  /// Takes what is waiting, for the last time before the socket closes.
  void drain();

 protected:
  virtual ~Acceptor();
  virtual void accepted(Fd fd, const SocketAddress& peer) = 0;
  /// Taking a connection failed, mostly for want of descriptors; it is tried again in a moment.
  virtual void accept_failed(const Error& error) = 0;

 private:
  void edges(std::uint32_t events) override;
  void run() override;
  bool accept_one();

  loop::Reactor& reactor_;
  int fd_;
  bool waiting_ = false;  // connections may be in the backlog
  bool paused_ = false;
  loop::Timer retry_{*this};
};

}  // namespace lockgate::net
