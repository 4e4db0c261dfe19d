#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "failure.h"

namespace lockgate::bench {
namespace {

int new_socket() { return checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"); }

void set(int fd, int level, int option, std::string_view name) {
  const int on = 1;
  checked(::setsockopt(fd, level, option, &on, sizeof on), name);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

int connect_to(std::uint16_t port) {
  const int fd = new_socket();
  const sockaddr_in address = loopback(port);
  checked(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connecting");
  set(fd, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
  return fd;
}

int listen_on(std::uint16_t port) {
  const int fd = new_socket();
  set(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
  const sockaddr_in address = loopback(port);
  checked(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  checked(::listen(fd, 4096), "listen");
  return fd;
}

int accept_from(int listener) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED)) return -1;
  set(checked(fd, "accept"), IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY");
  return fd;
}

void stop_blocking(int fd) { checked(::fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK"); }

Epoll::Epoll() : fd_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

std::span<epoll_event> Epoll::wait() {
  const int count = ::epoll_wait(fd_, events_.data(), static_cast<int>(events_.size()), -1);
  if (count < 0 && errno != EINTR) fail("epoll_wait", errno);
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

void Epoll::control(int operation, int fd, void* what, std::uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.ptr = what;
  checked(::epoll_ctl(fd_, operation, fd, &event), "epoll_ctl");
}

}  // namespace lockgate::bench
