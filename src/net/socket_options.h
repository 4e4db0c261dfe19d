// What is set on a TCP socket: keepalive and how long unacknowledged data may wait.
#pragma once
#include <cstdint>

#include "base/clock.h"

namespace lockgate::net {

/// Zero leaves the kernel's default; a zero keepalive switches probing off.
struct SocketOptions {
  Duration keepalive{};
  Duration keepalive_interval{};
  std::uint32_t keepalive_probes = 0;
  Duration user_timeout{};
  bool operator==(const SocketOptions&) const = default;
};

/// Sets them and TCP_NODELAY; sockets accepted from a listening socket inherit them all.
void set_socket_options(int fd, const SocketOptions& options);

}  // namespace lockgate::net
