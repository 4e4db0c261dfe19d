#include "net/tcp.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace lockgate::net {
namespace {

// Asking takes it away.
int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

Result<std::unique_ptr<TcpStream>> TcpStream::adopt(loop::Reactor& reactor, Fd fd) {
  int number = fd.number();
  std::unique_ptr<TcpStream> stream(new TcpStream(reactor, std::move(fd)));
  if (!reactor.watch(number, *stream, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) {
    return std::unexpected(system_error(errno, "registering a socket"));
  }
  return stream;
}

Result<std::unique_ptr<TcpStream>> TcpStream::connect(loop::Reactor& reactor, const SocketAddress& to,
                                                      const SocketOptions& options) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(system_error(errno, "opening a socket"));
  if (!to.is_unix()) set_socket_options(fd.number(), options);
  sockaddr_storage room;
  socklen_t size = to.to_system(room);
  int outcome = ::connect(fd.number(), reinterpret_cast<const sockaddr*>(&room), size);
  if (outcome != 0 && errno != EINPROGRESS) {
    Error error = system_error(errno, "connecting");
    // So a Unix socket says that its backlog is full: its want, not ours.
    if (to.is_unix() && error.detail.number == EAGAIN) error.code = Errc::refused;
    return std::unexpected(error);
  }
  return adopt(reactor, std::move(fd));
}

Result<void> TcpStream::connected() const {
  if (!broken()) return {};
  return std::unexpected(system_error(pending_error(fd_.number()), "connecting"));
}

SocketAddress local_address(int fd) {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&room), &size) != 0) return {};
  return SocketAddress::from_system(reinterpret_cast<sockaddr*>(&room), size);
}

void reset_on_close(int fd) {
  linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

// Only ports that the kernel gives away itself can be met so; below the first of them nobody pays for asking.
// That is the default of net.ipv4.ip_local_port_range.
bool met_itself(int fd, const SocketAddress& to) {
  constexpr std::uint16_t kFirstGivenAway = 32768;
  return !to.is_unix() && to.port() >= kFirstGivenAway && local_address(fd) == to;
}

Result<Arrived> TcpStream::read_some(Room room) {
  ssize_t got = 0;
  do {
    got = ::recv(fd_.number(), room.data(), room.size(), 0);
  } while (got < 0 && errno == EINTR);
  auto size = static_cast<std::size_t>(got);
  if (got > 0) {
    if (size < room.size() && !ending_) readable_ = false;
    return Arrived{.bytes = size};
  }
  readable_ = false;
  if (got == 0) return Arrived{.ended = true};
  if (errno == EAGAIN) return Arrived{};
  return std::unexpected(system_error(errno, "reading"));
}

Result<std::size_t> TcpStream::write_some(Bytes bytes) {
  ssize_t outcome = 0;
  do {
    outcome = ::send(fd_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (outcome < 0 && errno == EINTR);
  return sent(outcome, bytes.size());
}

Result<std::size_t> TcpStream::write_parts(std::span<const Bytes> parts) {
  constexpr std::size_t kMost = 8;
  std::array<iovec, kMost> vectors;
  std::size_t used = 0, size = 0;
  for (Bytes part : parts.first(std::min(parts.size(), kMost))) {
    if (part.empty()) continue;
    vectors[used++] = {.iov_base = const_cast<std::byte*>(part.data()), .iov_len = part.size()};
    size += part.size();
  }
  if (used == 1) return write_some({static_cast<const std::byte*>(vectors[0].iov_base), size});
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = used;
  ssize_t outcome = 0;
  do {
    outcome = ::sendmsg(fd_.number(), &message, MSG_NOSIGNAL);
  } while (outcome < 0 && errno == EINTR);
  return sent(outcome, size);
}

// What came of sending `wanted` bytes.
Result<std::size_t> TcpStream::sent(ssize_t outcome, std::size_t wanted) {
  if (outcome < 0 && errno != EAGAIN) return std::unexpected(system_error(errno, "writing"));
  auto size = outcome < 0 ? 0 : static_cast<std::size_t>(outcome);
  if (size < wanted) writable_ = false;
  return size;
}

// TCP has one end only.
Result<bool> TcpStream::finish(Ending) {
  constexpr const char* kFinishing = "finishing";
  if (::shutdown(fd_.number(), SHUT_WR) == 0) return true;
  if (errno == ENOTCONN) return std::unexpected(why_broken(kFinishing));  // the peer's reset came first
  return std::unexpected(system_error(errno, kFinishing));
}

void TcpStream::abort() { reset_on_close(fd_.number()); }

Error TcpStream::why_broken(const char* doing) const {
  int error = pending_error(fd_.number());
  return system_error(error != 0 ? error : ECONNRESET, doing);
}

void TcpStream::edges(std::uint32_t events) {
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ending_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) writable_ = true;
  if (events & EPOLLERR) broken_ = true;
  tell();
}

}  // namespace lockgate::net
