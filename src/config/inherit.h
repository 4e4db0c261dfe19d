// What a section starts from before its own keys are read: defaults -> listener -> site
// -> route.
//
// Reading begins with these and overlays what is written, so inheritance is by field;
// printing compares with them to show only what differs.
#pragma once
#include "config/config.h"
#include "config/written_route.h"

namespace lockgate::config {

/// What is said of HTTP.
template <class From, class To>
void inherit_http(const From& from, To& to) {
  to.http = from.http;
  to.paths = from.paths;
  to.forwarding = from.forwarding;
  to.security_fields = from.security_fields;
  to.request_fields = from.request_fields;
  to.response_fields = from.response_fields;
  to.error_pages = from.error_pages;
  static_cast<Guarded&>(to) = from;
}

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
  inherit_http(defaults, listener);
  return listener;
}

inline Site inherited(const Listener& listener) {
  Site site;
  site.timeouts = listener.timeouts;
  site.tls = listener.tls;
  site.access_log = listener.access_log;
  site.send_proxy_protocol = listener.send_proxy_protocol;
  inherit_http(listener, site);
  return site;
}

inline WrittenRoute inherited(const Site& site) {
  WrittenRoute route;
  route.forward = site.forwarding;
  route.security_fields = site.security_fields;
  route.request_fields = site.request_fields;
  route.response_fields = site.response_fields;
  route.error_pages = site.error_pages;
  route.maintenance = site.maintenance;
  static_cast<Guarded&>(route) = site;
  return route;
}

}  // namespace lockgate::config
