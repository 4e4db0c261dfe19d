// Sockets for tests: connected pairs on the loopback, and a plain blocking-free peer.
#pragma once
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include "base/address.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/fd.h"
#include "net/tcp.h"

namespace lockgate::net {

struct SocketPair {
  Fd near, far;
};

inline Fd non_blocking_socket(int family) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  CHECK(fd);
  return fd;
}

/// Begins to connect, and is connected at once where the loopback has room for it.
inline Fd connect_to(const SocketAddress& to) {
  Fd fd = non_blocking_socket(to.family());
  sockaddr_storage room;
  socklen_t size = to.to_system(room);
  CHECK(::connect(fd.number(), reinterpret_cast<sockaddr*>(&room), size) == 0 || errno == EINPROGRESS);
  return fd;
}

/// A listening socket on a free port of 127.0.0.1, and its address. With `backlog` 0 it takes one connection.
inline std::pair<Fd, SocketAddress> listening(int backlog = 128, std::string_view at = "127.0.0.1:0") {
  auto address = *SocketAddress::parse(at);
  Fd fd = non_blocking_socket(address.family());
  sockaddr_storage room;
  socklen_t size = address.to_system(room);
  CHECK(::bind(fd.number(), reinterpret_cast<sockaddr*>(&room), size) == 0);
  CHECK(::listen(fd.number(), backlog) == 0);
  SocketAddress bound = local_address(fd.number());
  return {std::move(fd), bound};
}

/// An address of the loopback where nobody listens.
inline SocketAddress nobody_at() { return listening().second; }

/// A listener whose backlog is full, so that connecting to it never ends.
struct BlackHole {
  BlackHole() : listener(listening(0)) {
    for (Fd& fd : filling) fd = connect_to(listener.second);
  }
  const SocketAddress& address() const { return listener.second; }
  std::pair<Fd, SocketAddress> listener;
  std::array<Fd, 2> filling;
};

inline SocketPair tcp_pair() {
  auto [listener, at] = listening();
  Fd far = connect_to(at);
  Fd near;
  while (!near) near = Fd(::accept4(listener.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(near), std::move(far)};
}

inline SocketPair unix_pair() {
  std::array<int, 2> ends{};
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Takes what can be read at once, at most `most` bytes. At the end or at an error it says so.
struct Taken {
  std::string text;
  bool ended = false;
  int error = 0;
};
inline Taken take(const Fd& fd, std::size_t most = 1 << 20) {
  Taken taken;
  std::array<char, 64 * 1024> room;
  while (taken.text.size() < most) {
    ssize_t got = ::recv(fd.number(), room.data(), std::min(room.size(), most - taken.text.size()), 0);
    if (got > 0) {
      taken.text.append(room.data(), static_cast<std::size_t>(got));
      continue;
    }
    taken.ended = got == 0;
    taken.error = got < 0 && errno != EAGAIN ? errno : 0;
    break;
  }
  return taken;
}

/// Writes what fits at once.
inline std::size_t give(const Fd& fd, std::string_view text) {
  ssize_t sent = ::send(fd.number(), text.data(), text.size(), MSG_NOSIGNAL);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

inline void end_writing(const Fd& fd) { CHECK(::shutdown(fd.number(), SHUT_WR) == 0); }

/// Closes with a reset.
inline void reset(Fd& fd) {
  linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.reset();
}

/// While one lives, this process can open no descriptor. UBSan needs one to look at an object of a class that
/// it has not seen before, so name what is to be used first.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    Fd next(::dup(0));
    CHECK(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next.number());
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Descriptors that this process has open.
inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 4096; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

/// As the program does at its start: splice raises what send need not.
inline void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace lockgate::net
