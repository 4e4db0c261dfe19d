// What a section starts from before its own keys are read: defaults -> listener -> site.
//
// Reading begins with these and overlays what is written, so inheritance is by field;
// printing compares with them to show only what differs.
#pragma once
#include "config/config.h"

namespace lockgate::config {

inline Upstream inherited_upstream(const Defaults& defaults) {
  Upstream upstream;
  upstream.tcp = defaults.tcp;
  return upstream;
}

inline Listener inherited(const Defaults& defaults) {
  Listener listener;
  listener.timeouts = defaults.timeouts;
  listener.tcp = defaults.tcp;
  listener.tls = defaults.tls;
  listener.access_log = defaults.access_log;
  listener.send_proxy_protocol = defaults.send_proxy_protocol;
  return listener;
}

inline Site inherited(const Listener& listener) {
  Site site;
  site.timeouts = listener.timeouts;
  site.tls = listener.tls;
  site.access_log = listener.access_log;
  site.send_proxy_protocol = listener.send_proxy_protocol;
  return site;
}

}  // namespace lockgate::config
