#include "stories/connection_plays.h"

#include <fmt/format.h>

#include "wire/made_hello.h"

namespace lockgate::stories {

using namespace std::string_literals;

const std::string_view kConnectionConfig = R"(
defaults: { timeouts: { proxy_header: 3s, hello: 5s, connect: 5s, idle: 60s, half_closed: 10s } }
upstreams:
  up:
    endpoints: ["tcp://192.0.2.1:443", "tcp://192.0.2.2:443"]
    ejection: { failures: 0 }
listeners:
  - name: front
    bind: 127.0.0.1:8443
    accept_proxy_protocol: { from: 10.0.0.0/8 }
    limits: { connections: 100 }
    sites:
      - { name: app, names: [app.example.org], limits: { connections: 1, when_full: queue, queue_timeout: 10s },
          pass: { to: up, send_proxy_protocol: v1 } }
      - { name: alert, names: [alert.example.org], reject: { with: alert } }
      - { name: reset, names: [reset.example.org], reject: { with: reset } }
      - { name: silence, names: [silence.example.org], reject: { with: silence } }
      - { name: web, names: [web.example.org], plain: { to: up } }
  - name: blind
    bind: 127.0.0.1:8143
    peek: off
    sites: [{ name: mail, names: [default], pass: { to: up } }]
  - name: rated
    bind: 127.0.0.1:8243
    accept_proxy_protocol: { from: 10.0.0.0/8 }
    rates:
      - { name: there, of: connections, by: client, most: 2 }
      - { name: coming, of: new_connections, by: client, rate: 3/h }
    sites:
      - name: busy
        names: [busy.example.org]
        rates:
          - { name: there-for-it, of: connections, by: [client, site], most: 1 }
          - { name: hellos, of: handshakes, by: client, rate: 3/h }
          - { name: bytes, of: bandwidth, by: everything, rate: 1KB/s, burst: 1KB, direction: both }
        pass: { to: up, send_proxy_protocol: v1 }
      - { name: shop, names: [shop.example.org], plain: { to: up },
          rates: [{ name: there-in-it, of: connections, by: site, most: 1 }] }
  - name: choosy
    bind: 127.0.0.1:8343
    accept_proxy_protocol: { from: 10.0.0.0/8 }
    access: { deny: 203.0.113.4/30 }
    sites: [{ name: closed, names: [default], pass: { to: up } }]
  - name: mixed
    bind: 127.0.0.1:8643
    accept_proxy_protocol: { optional_from: 172.16.0.0/16 }
    access: { deny: 172.16.0.9 }
    sites: [{ name: some, names: [default], pass: { to: up } }]
  - name: by_name
    bind: 127.0.0.1:8543
    accept_proxy_protocol: { from: 10.0.0.0/8 }
    sites:
      - { name: private, names: [private.example.org], access: { allow: 192.0.2.0/24 }, pass: { to: up } }
      - { name: open, names: [open.example.org], pass: { to: up } }
)";

namespace {

constexpr std::string_view kSaid = "and what the client says behind it, in a line of text";

std::vector<ConnectionPlay> plays_of_passed() {
  std::string passed = hello_for("app.example.org") + std::string(kSaid);
  std::string request = "GET / HTTP/1.1\r\nHost: web.example.org\r\n\r\n" + std::string(kSaid);
  return {
      {.title = "Passed",
       .says = passed,
       .outcome = "finished",
       .site = "app",
       .client_hears = std::string(kAnswer),
       .reaches = passed,  // the header that we send is the one that came
       .own_header = kHeader.size()},
      {.title = "PassedFromTheQueue",
       .says = passed,
       .outcome = "finished",
       .site = "app",
       .client_hears = std::string(kAnswer),
       .reaches = passed,
       .own_header = kHeader.size(),
       .queued = true},
      {.title = "PlainByHost",
       .says = std::string(kHeader) + request,
       .outcome = "finished",
       .site = "web",
       .client_hears = std::string(kAnswer),
       .reaches = request},
      {.title = "ServerSpeaksFirst",
       .listener = "blind",
       .says = std::string(kSaid),
       .outcome = "finished",
       .site = "mail",
       .client_hears = std::string(kAnswer),
       .reaches = std::string(kSaid)},
      {.title = "NoSite",
       .says = hello_for("other.example.org"),
       .outcome = "no_site",
       .client_hears = alert(112)},
      {.title = "RejectedByAlert",
       .says = hello_for("alert.example.org"),
       .outcome = "rejected",
       .site = "alert",
       .client_hears = alert(112)},
      {.title = "RejectedByReset",
       .says = hello_for("reset.example.org"),
       .outcome = "rejected",
       .site = "reset",
       .resets = true},
      {.title = "RejectedInSilence",
       .says = hello_for("silence.example.org"),
       .outcome = "rejected",
       .site = "silence"},
      {.title = "BrokenHello",
       .says = std::string(kHeader) + "\x16\x03\x01\0\x04\x02\0\0\0"s,
       .outcome = "bad_message",
       .client_hears = alert(50)},
      {.title = "BrokenHeader", .says = "PROXY TCP9\r\n", .outcome = "bad_message"},
  };
}

std::vector<ConnectionPlay> plays_of_counted() {
  std::string passed = hello_for("busy.example.org") + std::string(kSaid);
  std::string request =
      std::string(kHeader) + "GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n" + std::string(kSaid);
  ConnectionPlay rated{.title = "Rated",
                       .listener = "rated",
                       .says = passed,
                       .outcome = "finished",
                       .site = "busy",
                       .client_hears = std::string(kAnswer),
                       .reaches = passed,
                       .own_header = kHeader.size()};
  ConnectionPlay paced = rated;
  paced.title = "RatedAndPaced", paced.spent = "bytes", paced.step = std::chrono::milliseconds(1);
  std::vector<ConnectionPlay> all{rated, paced};
  for (const char* spent : {"there", "coming"}) {
    all.push_back({.title = spent == std::string("there") ? "TooManyThere" : "TooManyComing",
                   .listener = "rated",
                   .says = passed,
                   .outcome = "limited",
                   .resets = true,
                   .spent = spent});
  }
  for (const char* spent : {"there-for-it", "hellos"}) {
    all.push_back({.title = spent == std::string("hellos") ? "TooManyHellos" : "TooManyForTheSite",
                   .listener = "rated",
                   .says = passed,
                   .outcome = "limited",
                   .site = "busy",
                   .client_hears = alert(80),
                   .spent = spent});
  }
  all.push_back({.title = "TooManyForAPlainSite",
                 .listener = "rated",
                 .says = request,
                 .outcome = "limited",
                 .site = "shop",
                 .client_hears =
                     "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: "
                     "58\r\nConnection: close\r\n\r\n503 Service Unavailable\nService "
                     "Unavailable\nConnection 1.\n",
                 .spent = "there-in-it"});
  return all;
}

std::string bare_hello_for(std::string_view name) { return hello_for(name).substr(kHeader.size()); }

std::vector<ConnectionPlay> plays_of_unwelcome() {
  auto from = [](std::string_view client, std::string_view name) {
    return fmt::format("PROXY TCP4 {} 198.51.100.7 4711 443\r\n{}", client, bare_hello_for(name));
  };
  return {
      {.title = "Banned", .says = from(kBanned, "app.example.org"), .outcome = "banned", .resets = true},
      {.title = "BannedWithItsNetwork",
       .says = from("203.0.113.200", "app.example.org"),
       .outcome = "banned",
       .resets = true},
      {.title = "LetInNowhere",
       .listener = "choosy",
       .says = hello_for("x.example.org"),
       .outcome = "rejected"},
      {.title = "NotLetInForTheName",
       .listener = "by_name",
       .says = hello_for("private.example.org"),
       .outcome = "rejected",
       .site = "private",
       .client_hears = alert(112)},
  };
}

// Neighbours that may say for whom they are, and those of them that do not.
std::vector<ConnectionPlay> plays_of_neighbours() {
  std::string bare = bare_hello_for("app.example.org"), named = std::string(kHeader) + bare;
  return {
      {.title = "JudgedWithoutAHeader",
       .listener = "mixed",
       .says = bare,
       .outcome = "rejected",
       .peer = "172.16.0.9:1234"},
      {.title = "JudgedBehindAHeaderThatNamesNobody",
       .listener = "mixed",
       .says = "PROXY UNKNOWN\r\n" + bare,
       .outcome = "rejected",
       .peer = "172.16.0.9:1234"},
      {.title = "BannedWithoutAHeader",
       .listener = "mixed",
       .says = bare,
       .outcome = "banned",
       .resets = true,
       .peer = std::string(kBannedNeighbour) + ":1234"},
      {.title = "LetInForWhomABannedNeighbourNames",
       .listener = "mixed",
       .says = named,
       .outcome = "finished",
       .site = "some",
       .client_hears = std::string(kAnswer),
       .reaches = bare,
       .peer = std::string(kBannedNeighbour) + ":1234"},
  };
}

}  // namespace

std::string hello_for(std::string_view name) {
  return std::string(kHeader) + wire::MadeHello().named(name).with(16, wire::made_alpn({"h2"})).bytes();
}

std::string alert(char number) { return "\x15\x03\x03\0\x02\x02"s + number; }

std::vector<ConnectionPlay> plays_of_connection() {
  std::vector<ConnectionPlay> all;
  for (auto* some : {plays_of_passed, plays_of_unwelcome, plays_of_neighbours, plays_of_counted}) {
    for (auto& play : some()) all.push_back(std::move(play));
  }
  return all;
}

}  // namespace lockgate::stories
