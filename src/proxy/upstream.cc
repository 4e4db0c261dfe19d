#include "proxy/upstream.h"

namespace lockgate::proxy {

net::SocketOptions socket_options(const config::Tcp& tcp) {
  return {.keepalive = tcp.keepalive,
          .keepalive_interval = tcp.keepalive_interval,
          .keepalive_probes = tcp.keepalive_probes,
          .user_timeout = tcp.user_timeout};
}

}  // namespace lockgate::proxy
