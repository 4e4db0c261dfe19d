// Socket: TCP on the loopback, and waiting for it. What fails ends the program.
#pragma once
#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

namespace lockgate::bench {

/// Connected, and it blocks.
int connect_to(std::uint16_t port);
int listen_on(std::uint16_t port);
/// One that does not block; -1 if nobody waits.
int accept_from(int listener);
void stop_blocking(int fd);

class Epoll {
 public:
  Epoll();
  void watch(int fd, void* what, std::uint32_t events = EPOLLIN) { control(EPOLL_CTL_ADD, fd, what, events); }
  void change(int fd, void* what, std::uint32_t events) { control(EPOLL_CTL_MOD, fd, what, events); }
  std::span<epoll_event> wait();

 private:
  void control(int operation, int fd, void* what, std::uint32_t events) const;

  int fd_;
  std::array<epoll_event, 256> events_;
};

}  // namespace lockgate::bench
