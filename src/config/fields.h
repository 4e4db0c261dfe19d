// The tables of options: for each section its keys, where each value lives, and
// its sentence in the manual. An option is one line here.
//
// Parsing, printing, the reference and the JSON schema walk these tables in their
// order, so what is inherited stands before what inherits it. Default values are
// those of a default-constructed struct of config.h.
#pragma once
#include "config/config.h"
#include "config/field.h"
#include "config/fields_addresses.h"
#include "config/fields_bans.h"
#include "config/fields_http.h"
#include "config/fields_site.h"
#include "config/fields_tls.h"
#include "config/fields_upstream.h"
#include "config/fields_users.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<ErrorLog> =
    section("log", "The log of what this process does; what it does for a connection is in the access log.",
            Field{"to", &ErrorLog::to, "Where lines go."},
            Field{"level", &ErrorLog::level, "The least important level that is still written."},
            Field{"format", &ErrorLog::format, "`text` for people, `json` for programs."});

template <>
inline constexpr auto kSection<AccessLog> = section(
    "access_log",
    "One line per request, and one per connection on which no request was read. `access_log: off` and "
    "`access_log: /path` are short forms.",
    Field{"to", &AccessLog::to, "Where lines go."},
    Field{"format", &AccessLog::format,
          "`text` for people, `json` for programs, `common` and `combined` as Apache writes them; or a line "
          "of your own with [variables](#variables)."});

template <>
inline constexpr auto kSection<Admin> =
    section("admin", "Where this process tells about itself and takes commands.",
            Field{"bind", &Admin::bind, "The address of metrics, status and health; `off` for none."},
            Field{"control_socket", &Admin::control_socket,
                  "The Unix socket of `lockgate status` and its kind; `off` for none.", as(As::path)});

template <>
inline constexpr auto kSection<Drain> = section(
    "drain", "How this process ends: health fails at once, then listeners close, then connections.",
    Field{
        "delay", &Drain::delay,
        "How long new connections are still taken after health has begun to fail, for a balancer to notice."},
    Field{"deadline", &Drain::deadline, "How long connections may go on before they are cut."});

template <>
inline constexpr auto kSection<ConnectionLimit> =
    section("limits", "How many connections may be open at once: in all, of a listener, of a site.",
            Field{"connections", &ConnectionLimit::connections, "The most connections at once.",
                  from_to(1, 100'000'000, "unlimited")},
            Field{"when_full", &ConnectionLimit::when_full,
                  "`refuse` closes a connection too many at once, `queue` lets it wait."},
            Field{"queue_timeout", &ConnectionLimit::queue_timeout,
                  "How long a connection may wait in the queue before it is refused.", kSome});

template <>
inline constexpr auto kSection<Timeouts> = section(
    "timeouts", "How long each part of a connection may take.",
    Field{"proxy_header", &Timeouts::proxy_header, "From accept until a PROXY header is complete.", kSome},
    Field{"hello", &Timeouts::hello,
          "From accept, or the PROXY header, until the first bytes are understood.", kSome},
    Field{"handshake", &Timeouts::handshake, "For the TLS handshake with the client.", kSome},
    Field{"connect", &Timeouts::connect, "For all attempts to reach an endpoint together.", kSome},
    Field{"idle", &Timeouts::idle, "Without a byte either way.", kSomeOrOff},
    Field{"half_closed", &Timeouts::half_closed, "Without a byte either way once one side has finished.",
          kSomeOrOff});

template <>
inline constexpr auto kSection<Tcp> =
    section("tcp", "TCP options of connections.",
            Field{"keepalive", &Tcp::keepalive, "Idle time before the first probe.", kSomeOrOff},
            Field{"keepalive_interval", &Tcp::keepalive_interval, "Time between two probes.", kSome},
            Field{"keepalive_probes", &Tcp::keepalive_probes,
                  "Probes without an answer that end a connection.", from_to(1, 127)},
            Field{"user_timeout", &Tcp::user_timeout,
                  "How long sent data may stay unacknowledged before the connection ends; `off` leaves it to "
                  "the kernel.",
                  kSomeOrOff});

template <>
inline constexpr auto kSection<Defaults> = section(
    "defaults", "Inherited by listeners and their sites field by field, wherever they say nothing else.",
    std::tuple{
        Field{"timeouts", &Defaults::timeouts, "How long each part of a connection may take."},
        Field{"tcp", &Defaults::tcp, "TCP options of accepted connections and of those to upstreams."},
        Field{"tls", &Defaults::tls, "TLS towards clients."},
        Field{"access_log", &Defaults::access_log, "One line per connection."},
        Field{"send_proxy_protocol", &Defaults::send_proxy_protocol,
              "Whether an upstream is told the client's address in a PROXY header, and in which version."}},
    http_fields<Defaults>());

template <>
inline constexpr auto kSection<TrustedProxies> = section(
    "trusted_proxies", "Proxies in front of us that tell in a field of their requests for whom they ask.",
    Field{"from", &TrustedProxies::from,
          "Their networks. Whoever else sends such a field is not believed, and it goes no further."},
    Field{
        "field", &TrustedProxies::field,
        "`X-Forwarded-For` and `Forwarded` are read from right to left, as far as these networks reach; any "
        "other field, as `X-Real-IP`, holds one address.",
        as(As::field_name)});

template <>
inline constexpr auto kSection<AcceptProxyProtocol> =
    section("accept_proxy_protocol", "Who may say in a PROXY header (v1 or v2) which client it speaks for.",
            Field{"from", &AcceptProxyProtocol::from, "Networks of proxies that must send a header."},
            Field{"optional_from", &AcceptProxyProtocol::optional_from, "Networks of proxies that may."});

template <>
inline constexpr auto kSection<Listener> = section(
    "listener", "Addresses, and the sites that are found there.",
    std::tuple{
        Field{"name", &Listener::name, "For logs and metrics; the first of `bind` if not given."},
        Field{
            "bind", &Listener::bind,
            "`:443` (IPv6 and IPv4), `192.0.2.1:443`, `[::1]:443`, `unix:/path` or `systemd:name`; one or a "
            "list.",
            kRequired},
        Field{"accept_proxy_protocol", &Listener::accept_proxy_protocol, "Front proxies that are trusted."},
        Field{"trusted_proxies", &Listener::trusted_proxies,
              "Front proxies that are trusted to tell their clients in fields of requests."},
        Field{"peek", &Listener::peek,
              "Off: relay to the only site without looking, for a server that speaks first."},
        Field{"no_sni", &Listener::no_sni,
              "A hello without a name is treated as if it asked for this one; else only `default` takes it.",
              as(As::host)},
        Field{"hello_limit",
              &Listener::hello_limit,
              "The most bytes read before a site is chosen.",
              {.least = 1024, .most = 16 << 20, .as = As::bytes}},
        Field{"backlog", &Listener::backlog, "Connections that the kernel may hold before we accept them.",
              from_to(1, 1'000'000)},
        Field{"limits", &Listener::limit, "Of this listener alone."},
        Field{"rates", &Listener::rates, kRatesSentence},
        Field{"timeouts", &Listener::timeouts, "How long each part of a connection may take."},
        Field{"tcp", &Listener::tcp, "TCP options of accepted connections."},
        Field{"tls", &Listener::tls, "TLS towards clients."},
        Field{"access_log", &Listener::access_log,
              "One line per connection, also for those that no site took."},
        Field{"send_proxy_protocol", &Listener::send_proxy_protocol, "What its sites send to upstreams."}},
    http_fields<Listener>(),
    Field{"sites", &Listener::sites,
          "Who is served here. `- include: sites/*.yaml` stands for the sites of those files.", kRequired});

template <>
inline constexpr auto kSection<Config> = section(
    "top level", "What stands at the left edge of `lockgate.yaml`.",
    Field{"user", &Config::user,
          "The user to become after a start as root; if not given, whoever started it."},
    Field{"workers", &Config::workers, "Threads that serve connections; `auto` for one per core.",
          from_to(1, 1024, "auto")},
    IncludeField{
        "include",
        "Files, or patterns of files, relative to this one, read in the order of their names. Their lists "
        "are appended, their maps merged; a key written twice is an error."},
    Field{"log", &Config::log, "The log of what this process does."},
    Field{"admin", &Config::admin, "Metrics, status, health and commands."},
    Field{"drain", &Config::drain, "How this process ends."},
    Field{"limits", &Config::limit, "Of the whole process."},
    Field{"rates", &Config::rates, "How often, how many at once and how fast, in all of this process."},
    Field{"name_servers", &Config::name_servers,
          "Asked for the names of endpoints, port 53 if none is given; empty for those of the system.",
          as(As::name_server)},
    Field{"state_folder", &Config::state_folder, "Where what outlives this process is kept.", as(As::path)},
    Field{"bans", &Config::bans, "Who is kept out for a while."},
    Field{"certificates", &Config::certificates,
          "By name, the certificates that we show. `self_signed` alone stands for one that is made on the "
          "spot."},
    Field{"address_lists", &Config::address_lists, "By name, lists of networks."},
    Field{"geo", &Config::geo, "Databases of countries and autonomous systems."},
    Field{"users", &Config::users, "By name, the files of those who can sign in."},
    Field{"defaults", &Config::defaults, "What listeners, sites and upstreams start from."},
    Field{"parents", &Config::parents, "By name, the proxies through which upstreams are reached."},
    Field{"upstreams", &Config::upstreams, "By name, the servers behind."},
    Field{"listeners", &Config::listeners, "Where connections are accepted."});

}  // namespace lockgate::config
