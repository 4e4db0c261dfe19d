// What the operator asked for of servers: upstreams, their endpoints, and the parents
// through which they are reached. Plain structs, as those of config.h, which holds them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/name_pattern.h"
#include "config/place.h"
#include "config/tls.h"

namespace lockgate::config {

using namespace std::chrono_literals;

enum class Balance : std::uint8_t { round_robin, least_connections, random_two, consistent_hash };
/// How a parent for HTTP is asked for endpoints that speak plain HTTP.
enum class PlainHttp : std::uint8_t { absolute, connect };
enum class HashKey : std::uint8_t { client, name };

/// TCP options of accepted and upstream connections; 0 leaves the kernel's default.
struct Tcp {
  Duration keepalive = 60s;           // idle time before the first probe; 0: no keepalive
  Duration keepalive_interval = 15s;  // between probes
  std::uint32_t keepalive_probes = 4;
  Duration user_timeout = 0s;  // unacknowledged data for so long ends the connection
};

struct Endpoint {
  enum class Kind : std::uint8_t { address, name, service, unix_path };
  Kind kind = Kind::address;
  SocketAddress address;   // of address and unix_path
  std::string name;        // host of name, "_imap._tcp.example.com" of service (SRV, RFC 2782)
  std::uint16_t port = 0;  // of name
  bool http = false;       // its URL said http or https; of unix_path nobody knows
  bool tls = false;
  std::optional<std::uint32_t> via;  // index into Config::parents; none: reached directly
  std::uint32_t weight = 1;
  bool backup = false;
  std::string own_name;               // `name:`, which values of cookies end with
  std::uint32_t max_connections = 0;  // 0: what the upstream says
  std::string url;                    // as written: "tcp://app1:443"
  Place place;
};

/// Statuses of answers, both ends included.
struct StatusRange {
  std::uint32_t first = 0, last = 0;
  bool contains(std::uint32_t status) const { return first <= status && status <= last; }
  bool operator==(const StatusRange&) const = default;
};

/// A field whose value is always the same.
struct FixedField {
  std::string name, value;
  bool operator==(const FixedField&) const = default;
};

/// Active checks, of connections or, where there is a path, of answers; every = 0 switches them off.
struct HealthCheck {
  Duration every = 0s;
  Duration timeout = 2s;
  std::uint32_t rise = 2;  // successes until a dead endpoint is used again
  std::uint32_t fall = 3;  // failures until a live one is passed over
  std::string path;        // and query; empty: connections alone
  std::string method = "GET";
  std::string host = "upstream";  // that of the endpoint's URL, or one that is given
  std::vector<StatusRange> status = {{.first = 200, .last = 399}};
  std::string body;  // has to be in the answer's; empty: anything
  std::vector<FixedField> fields;
  bool operator==(const HealthCheck&) const = default;
};

/// Passive ejection: so many failures in a row put an endpoint aside for a while.
struct Ejection {
  std::uint32_t failures = 3;       // of connecting; 0: never
  std::uint32_t server_errors = 0;  // answers of 502, 503 or 504, and those that broke off; 0: never
  Duration time = 10s;
};

/// What keeps the requests of a client at one endpoint: a cookie of the application's, or one of our own.
struct Sticky {
  std::string cookie;               // "saplb_*" stands for all that begin like this; empty: none
  std::string path_parameter;       // ";jsessionid=...": what may stand in the path in its place
  std::string own_cookie;           // empty: none
  Duration expire = 0s;             // 0: by its kind, see effective_expire()
  std::uint32_t entries = 100'000;  // values of the application's cookie that are remembered
  bool on() const { return !cookie.empty() || !own_cookie.empty(); }
};

/// How long a value is remembered after its last use; 0 for our own cookie: until the browser ends.
inline Duration effective_expire(const Sticky& sticky) {
  return sticky.expire == 0s && sticky.own_cookie.empty() ? Duration(1h) : sticky.expire;
}

/// Who waits while all endpoints have as many connections as they may.
struct EndpointQueue {
  std::uint32_t length = 1000;  // 0: nobody
  Duration timeout = 10s;
};

/// Connections that wait for their next request.
struct IdleConnections {
  Duration time = 30s;
  std::uint32_t most = 1024;  // of one endpoint and worker; 0: none
};

/// `via`: an entry of `parents` by its name, or none of them whatever they are for.
struct ParentChoice {
  static constexpr std::uint32_t kUnsaid = UINT32_MAX, kDirect = UINT32_MAX - 1;
  std::uint32_t index = kUnsaid;
  bool said() const { return index != kUnsaid; }
  bool operator==(const ParentChoice&) const = default;
};

struct Upstream {
  std::string name;  // the key under `upstreams`; the URL as written for one given in place
  std::vector<Endpoint> endpoints;
  Balance balance = Balance::round_robin;
  HashKey hash = HashKey::client;  // of consistent_hash
  HealthCheck health;
  Ejection ejection;
  Duration slow_start = 0s;           // until one that comes back gets its full share
  Duration try_timeout = 2s;          // one endpoint, before the next is tried
  std::uint32_t tries = 3;            // endpoints tried for one connection
  std::uint32_t retry_budget = 20;    // further tries for 100 connections or requests
  std::uint32_t max_connections = 0;  // of an endpoint that says nothing else; 0: any number
  EndpointQueue queue;
  Sticky sticky;
  IdleConnections idle_connections;
  std::vector<SocketAddress> name_servers;  // empty: those of the top level, else of resolv.conf
  Tcp tcp;
  TlsClient tls;  // towards endpoints whose URL says so
  ParentChoice via;
  Place place;
};

/// How many connections, or requests under way, an endpoint of `upstream` may have; 0: any number.
inline std::uint32_t effective_most(const Upstream& upstream, const Endpoint& endpoint) {
  return endpoint.max_connections > 0 ? endpoint.max_connections : upstream.max_connections;
}

/// Whether requests can be sent to it, and whether bytes can: a Unix socket may be for either.
inline bool takes_requests(const Upstream& upstream) {
  return std::ranges::all_of(upstream.endpoints, [](const Endpoint& endpoint) {
    return endpoint.http || endpoint.kind == Endpoint::Kind::unix_path;
  });
}
inline bool takes_bytes(const Upstream& upstream) {
  return std::ranges::none_of(upstream.endpoints, &Endpoint::http);
}

/// What a parent is for, or not for: a network, or names.
struct Destination {
  std::optional<Network> network;
  std::optional<NamePattern> names;
  std::string text;  // as written
  /// `host` is a normalized name or an address.
  bool matches(const std::string& host) const;
};

/// Proxies that upstreams are reached through. Its endpoints are theirs.
struct Parent : Upstream {
  PlainHttp plain_http = PlainHttp::absolute;
  std::string credentials_file;           // one line, "user:password"; empty: none
  std::vector<Destination> destinations;  // endpoints that are reached through it unless `via` says otherwise
  std::vector<Destination> no_proxy;      // endpoints that never are
};

}  // namespace lockgate::config
