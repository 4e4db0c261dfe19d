#include "proxy/upstream.h"

namespace lockgate::proxy {

Upstream::Upstream(config::Upstream given, std::shared_ptr<Commons> shared)
    : config(std::move(given)), commons(std::move(shared)) {
  // Plans that were there before have no use for it.
  if (!config.sticky.cookie.empty() && !commons->sessions) commons->sessions = std::make_unique<Sessions>();
}

net::SocketOptions socket_options(const config::Tcp& tcp) {
  return {.keepalive = tcp.keepalive,
          .keepalive_interval = tcp.keepalive_interval,
          .keepalive_probes = tcp.keepalive_probes,
          .user_timeout = tcp.user_timeout};
}

}  // namespace lockgate::proxy
