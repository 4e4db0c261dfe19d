#include "net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace lockgate::net {
namespace {

void set(int fd, int level, int option, std::int64_t value) {
  int number = static_cast<int>(value);
  setsockopt(fd, level, option, &number, sizeof number);
}

std::int64_t seconds(Duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

}  // namespace

void set_socket_options(int fd, const SocketOptions& options) {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  bool keeps_alive = options.keepalive > Duration::zero();
  set(fd, SOL_SOCKET, SO_KEEPALIVE, keeps_alive);
  if (keeps_alive) {
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds(options.keepalive));
    if (options.keepalive_interval > Duration::zero()) {
      set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds(options.keepalive_interval));
    }
    if (options.keepalive_probes > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, options.keepalive_probes);
  }
  auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(options.user_timeout);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds.count());
}

}  // namespace lockgate::net
