// What the operator asked for: plain structs, filled by parse, never changed afterwards.
//
// Values are already inherited (defaults -> listener -> site), so a reader never
// asks who set them. Default values live here and only here; the
// tables in fields.h give each member its key and its sentence in the reference.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/name_pattern.h"
#include "config/addresses.h"
#include "config/bans.h"
#include "config/http.h"
#include "config/logs.h"
#include "config/place.h"
#include "config/tls.h"
#include "config/upstream.h"
#include "config/users.h"

namespace lockgate::config {

using namespace std::chrono_literals;

enum class WhenFull : std::uint8_t { refuse, queue };
enum class Verdict : std::uint8_t { pass, terminate, plain, reject };
enum class RejectWith : std::uint8_t { alert, reset, silence };
enum class SendProxyProtocol : std::uint8_t { off, v1, v2 };

/// The address where metrics, status and health are asked for, and the socket for commands.
struct Admin {
  std::optional<SocketAddress> bind = SocketAddress::parse("127.0.0.1:9180");
  std::string control_socket = "/run/lockgate/control.sock";  // empty: none
};

/// How this process ends: health fails at once, listeners close after `delay`, what still runs is cut at
/// `deadline`.
struct Drain {
  Duration delay = 0s;
  Duration deadline = 30s;
};

/// A promise of the whole process; 0 means no limit of its own.
struct ConnectionLimit {
  std::uint32_t connections = 0;
  WhenFull when_full = WhenFull::refuse;
  Duration queue_timeout = 10s;
};

struct Timeouts {
  Duration proxy_header = 3s;   // accept until a PROXY header is complete
  Duration hello = 5s;          // accept (or PROXY header) until the first bytes are understood
  Duration handshake = 10s;     // TLS with the client
  Duration connect = 5s;        // all attempts to reach an endpoint together
  Duration idle = 10min;        // no byte either way
  Duration half_closed = 2min;  // no byte either way once one side has finished
};

/// What listeners, their sites and the upstreams start from where they say nothing else.
struct Defaults : Guarded {
  Timeouts timeouts;
  Tcp tcp;
  TlsServer tls;
  AccessLog access_log;
  SendProxyProtocol send_proxy_protocol = SendProxyProtocol::off;
  HttpServer http;
  Paths paths;
  Forwarding forwarding;
  SecurityFields security_fields = SecurityFields::off;
  FieldEdits request_fields, response_fields;
  std::vector<ErrorPage> error_pages;
};

/// Conditions beside the name; all given ones must hold, any value of a list suffices.
struct Match {
  std::vector<std::string> alpn;
  std::vector<std::string> ja3;
  std::vector<std::string> ja4;
  std::vector<Network> clients;
  bool empty() const { return alpn.empty() && ja3.empty() && ja4.empty() && clients.empty(); }
};

/// TLVs of a PROXY v2 header that is sent (proxy-protocol.txt, 2.2).
struct ProxyTlvs {
  bool alpn = false;
  bool authority = false;
  bool unique_id = false;
  bool ssl = false;
};

struct Site : Guarded {
  std::string name;  // for logs and metrics: `name:` or the first of `names`
  std::vector<NamePattern> names;
  Match match;
  Verdict verdict = Verdict::reject;
  RejectWith reject_with = RejectWith::alert;  // of reject
  std::uint32_t upstream = 0;                  // unless it rejects or is_http(): index into Config::upstreams
  std::vector<CertificateChoice> certificates;  // of terminate
  TlsServer tls;
  SendProxyProtocol send_proxy_protocol = SendProxyProtocol::off;
  ProxyTlvs proxy_tlvs;
  std::vector<Route>
      routes;  // of terminate and plain, where requests are read; the first that matches takes one
  HttpServer http;
  Paths paths;
  Forwarding forwarding;                                 // what its routes start from
  SecurityFields security_fields = SecurityFields::off;  // the same
  FieldEdits request_fields, response_fields;            // the same
  std::vector<ErrorPage> error_pages;                    // the same
  Maintenance maintenance;                               // the same
  ConnectionLimit limit;
  std::vector<RateRule> rates;  // of its own, as everywhere
  Timeouts timeouts;
  AccessLog access_log;
  std::optional<LogLevel> log_level;  // overrides ErrorLog::level for this site
  Place place;
  /// Whether requests are read here, rather than bytes relayed.
  bool is_http() const { return !routes.empty(); }
};

/// The protocols that clients of a site may agree on; empty: what the upstream chooses, if it speaks TLS.
inline std::vector<std::string> effective_alpn(const Site& site) {
  if (site.tls.alpn.empty() && site.is_http()) return {"http/1.1", "http/1.0"};
  return site.tls.alpn;
}

/// Where a site may lead, as indices into Config::upstreams; one may be there twice.
inline std::vector<std::uint32_t> upstreams_of(const Site& site) {
  if (site.verdict == Verdict::reject) return {};
  if (!site.is_http()) return {site.upstream};
  std::vector<std::uint32_t> result;
  for (const Route& route : site.routes) {
    if (route.action == RouteAction::forward) result.push_back(route.upstream);
  }
  return result;
}

struct Bind {
  enum class Kind : std::uint8_t { both_families, address, systemd };
  Kind kind = Kind::address;
  SocketAddress address;   // of both_families: [::] and the port, with V6ONLY off
  std::string descriptor;  // of systemd: the FileDescriptorName
  std::string text;        // as written
  Place place;
};

struct AcceptProxyProtocol {
  std::vector<Network> from;           // these must send a header
  std::vector<Network> optional_from;  // these may
};

/// Proxies in front of us whose fields tell for whom they ask.
struct TrustedProxies {
  std::vector<Network> from;
  std::string field = "X-Forwarded-For";  // or Forwarded, or one with a single address
};

struct Listener : Guarded {
  std::string name;  // `name:` or the first bind as written
  std::vector<Bind> bind;
  AcceptProxyProtocol accept_proxy_protocol;
  TrustedProxies trusted_proxies;
  bool peek = true;    // false: relay without looking (a server that speaks first)
  std::string no_sni;  // a hello without a usable name is treated as this one; empty: only `default` takes it
  std::uint32_t hello_limit = 64 * 1024;  // bytes read before a site is chosen
  std::uint32_t backlog = 4096;
  ConnectionLimit limit;
  std::vector<RateRule> rates;
  Timeouts timeouts;
  Tcp tcp;
  TlsServer tls;                                                   // what its sites start from
  AccessLog access_log;                                            // for connections that no site took
  SendProxyProtocol send_proxy_protocol = SendProxyProtocol::off;  // what its sites start from
  HttpServer http;
  Paths paths;
  Forwarding forwarding;
  SecurityFields security_fields = SecurityFields::off;
  FieldEdits request_fields, response_fields;
  std::vector<ErrorPage> error_pages;
  std::vector<Site> sites;
  Place place;
};

struct Config {
  std::string user;           // given up to after start as root; empty: stay
  std::uint32_t workers = 0;  // 0: one per core
  ErrorLog log;
  Admin admin;
  Drain drain;
  ConnectionLimit limit{.connections = 10'000, .when_full = WhenFull::queue};
  std::vector<RateRule> rates;
  std::vector<SocketAddress> name_servers;
  std::string state_folder = "/var/lib/lockgate";  // what must outlive this process
  Bans bans;
  std::vector<Certificate> certificates;
  std::vector<AddressList> address_lists;
  Geo geo;
  std::vector<UserList> users;
  Defaults defaults;  // already inherited by all below
  std::vector<Parent> parents;
  std::vector<Upstream> upstreams;
  std::vector<Listener> listeners;
  std::vector<std::string> files;  // every file that was read, the first one first
};

/// One thing to tell the operator about the configuration.
struct Diagnostic {
  enum class Severity : std::uint8_t { error, warning };
  Severity severity = Severity::error;
  Place place;
  std::string message;  // what is wrong and what was expected
  std::string hint;     // what to do: "did you mean `listeners`?"; may be empty
};

}  // namespace lockgate::config
