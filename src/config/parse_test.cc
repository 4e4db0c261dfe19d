#include "config/parse.h"

#include <gtest/gtest.h>

namespace lockgate::config {
namespace {

TEST(Parse, ReadsEverySection) {
  auto parsed = parse_text(R"(
user: lockgate
workers: auto
log: { to: stderr, level: info, format: text }
admin: { bind: "127.0.0.1:9180", control_socket: /run/lockgate/control.sock }
drain: { delay: 0s, deadline: 30s }
limits: { connections: 10000, when_full: queue, queue_timeout: 10s }
name_servers: ["192.0.2.53", "[2001:db8::1]:5353"]
defaults:
  timeouts: { proxy_header: 3s, hello: 5s, connect: 5s, idle: 10m, half_closed: 2m }
  tcp: { keepalive: 60s, keepalive_interval: 15s, keepalive_probes: 4, user_timeout: 0s }
  access_log: { to: stdout, format: text }
  send_proxy_protocol: off
upstreams:
  portal:
    endpoints: [ "tcp://app1:443", { url: "tcp://192.0.2.7:443", weight: 2, backup: true }, "tcp+srv://_imaps._tcp.example.com", "unix:/run/app.sock" ]
    balance: least_connections
    hash: client
    health: { every: 5s, timeout: 2s, rise: 2, fall: 3 }
    ejection: { failures: 3, time: 10s }
    try_timeout: 2s
    tries: 3
    name_servers: [192.0.2.1]
    tcp: {keepalive: 5s}
listeners:
  - name: front
    bind: [":443", "192.0.2.1:8443", "[::1]:443", "unix:/run/x.sock", "systemd:tls"]
    accept_proxy_protocol: { from: [10.0.0.5, 10.1.0.0/16], optional_from: [10.2.0.0/16] }
    peek: on
    no_sni: www.example.com
    hello_limit: 64KiB
    backlog: 4096
    limits: {connections: 5}
    timeouts: {idle: 1h}
    sites:
      - name: app
        names: [sub1.example.org, "*.yunohost.org", default]
        match: { alpn: [acme-tls/1], clients: [10.0.0.0/8] }
        pass: { to: "tcp://192.168.99.11:443", send_proxy_protocol: v2, proxy_tlvs: [alpn, authority, unique_id] }
        timeouts: {hello: 1s}
        access_log: off
        log_level: debug
      - names: [default]
        reject: { with: alert }
      - names: [default]
        plain: { to: portal }
)",
                           "lockgate.yaml");
  for (auto& d : parsed.diagnostics) ADD_FAILURE() << words(d);
  ASSERT_TRUE(parsed.config);
  const Config& c = *parsed.config;
  EXPECT_EQ(c.upstreams.size(), 2u);
  const Listener& front = c.listeners.at(0);
  EXPECT_EQ(front.bind.size(), 5u);
  EXPECT_EQ(front.sites.at(0).timeouts.idle, 1h);
  EXPECT_EQ(front.sites.at(0).timeouts.hello, 1s);
  EXPECT_EQ(front.sites.at(0).timeouts.connect, 5s);
  EXPECT_EQ(front.sites.at(0).upstream, 1u);
  EXPECT_EQ(front.sites.at(2).upstream, 0u);
  EXPECT_EQ(front.sites.at(2).name, "default#2");
}

TEST(Parse, TellsAllMistakesAtOnce) {
  auto parsed = parse_text("lisners: []\nworkers: x\nlog: {level: loud}\nuser: a\nuser: b\n", "f.yaml");
  for (auto& d : parsed.diagnostics) std::puts(words(d).c_str());
  EXPECT_FALSE(parsed.config);
  EXPECT_EQ(parsed.diagnostics.size(), 4u);
}

}  // namespace
}  // namespace lockgate::config
