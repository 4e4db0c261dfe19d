// The tables of options of upstreams: their endpoints, and who watches over them.
#pragma once
#include "config/config.h"
#include "config/field.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<Endpoint> = section(
    "endpoint", "One server of an upstream. A bare URL is short for `{ url: ... }`.",
    Field{
        "url",
        &Endpoint::url,
        "For bytes `tcp://host:port` or `tcp+srv://_service._tcp.name`, with TLS around them "
        "`tls://host:port` or `tls+srv://_service._tcp.name`; for requests `http://host` or `https://host`, "
        "with a port if it is not 80 or 443; for either `unix:/path`.",
        {.as = As::url, .required = true}},
    Field{"weight", &Endpoint::weight, "Its share of connections, against that of the others.",
          from_to(1, 1000)},
    Field{"backup", &Endpoint::backup, "Used only while no other endpoint can be."},
    Field{"name", &Endpoint::own_name,
          "What the values of a `sticky` cookie end with behind a dot, as `node1` in `0A1B.node1`.",
          as(As::token)},
    Field{"max_connections", &Endpoint::max_connections,
          "The most connections, or requests under way; if not given, what the upstream says.",
          from_to(1, 1'000'000)});

template <>
inline constexpr auto kSection<HealthCheck> = section(
    "health",
    "Trials that find out which endpoints are alive: connections with all that belongs to them, as "
    "TLS and parents; with a `path` also a request.",
    Field{"every", &HealthCheck::every, "Time between two checks of an endpoint.", kSomeOrOff},
    Field{"timeout", &HealthCheck::timeout, "How long a check may take.", kSome},
    Field{"rise", &HealthCheck::rise, "Successes in a row until a dead endpoint is used again.",
          from_to(1, 1000)},
    Field{"fall", &HealthCheck::fall, "Failures in a row until a live endpoint is passed over.",
          from_to(1, 1000)},
    Field{"path", &HealthCheck::path,
          "The path, maybe with a query, that an endpoint of `http` or `https` is asked for.",
          as(As::origin_form)},
    Field{"method", &HealthCheck::method, "The method of that request.", as(As::method)},
    Field{"host", &HealthCheck::host,
          "The host that is asked for: `upstream` for that of the endpoint's URL, or one that is given.",
          as(As::authority)},
    Field{"status", &HealthCheck::status, "Which answers are good; `200-399` unless given."},
    Field{"body", &HealthCheck::body, "A text that has to be in the first 64 KiB of the answer's body."},
    Field{"fields", &HealthCheck::fields, "Fields of the request, and their values.", as(As::field_name)});

template <>
inline constexpr auto kSection<Ejection> = section(
    "ejection", "Puts an endpoint aside for a while when real connections to it fail.",
    Field{"failures", &Ejection::failures, "Failed connections in a row that eject an endpoint.",
          from_to(1, 1'000'000, "off")},
    Field{"server_errors", &Ejection::server_errors,
          "Answers of 502, 503 or 504 in a row, or requests without any answer, that eject an endpoint.",
          from_to(1, 1'000'000, "off")},
    Field{"time", &Ejection::time, "How long it stays ejected.", kSome});

template <>
inline constexpr auto kSection<Sticky> = section(
    "sticky",
    "Keeps the requests of a client at one endpoint, for as long as it can be used and is no backup. The "
    "third "
    "way is `balance: consistent_hash`, which goes by the client's address.",
    Field{"cookie", &Sticky::cookie,
          "A cookie of the application's: its value ends with the `name` of an endpoint, or was set by an "
          "answer of the endpoint. `saplb_*` stands for all that begin like this.",
          as(As::token)},
    Field{"path_parameter", &Sticky::path_parameter,
          "Where the same value stands in the path for clients without cookies, as `jsessionid` in "
          "`/shop;jsessionid=0A1B`.",
          as(As::token)},
    Field{
        "own_cookie", &Sticky::own_cookie,
        "A cookie of ours, which the endpoint never sees. Its value tells nothing of the endpoint's address.",
        as(As::token)},
    Field{
        "expire",
        &Sticky::expire,
        "How long a value is remembered after its last use, by us or, of our own cookie, by browsers; `auto` "
        "is 1h, or until the browser ends.",
        {.least = 1, .zero = "auto"}},
    Field{"entries", &Sticky::entries,
          "The most values that are remembered; those not used for longest go first.",
          from_to(1, 10'000'000)});

template <>
inline constexpr auto kSection<EndpointQueue> =
    section("queue", "Who waits, first come first served, while no endpoint may have more connections.",
            Field{"length", &EndpointQueue::length, "The most that wait; further ones are refused (503).",
                  from_to(1, 1'000'000, "off")},
            Field{"timeout", &EndpointQueue::timeout, "How long one waits before it is refused.", kSome});

template <>
inline constexpr auto kSection<IdleConnections> =
    section("idle_connections", "Connections to endpoints that wait for their next request.",
            Field{"time", &IdleConnections::time, "How long one waits before it is closed.", kSome},
            Field{"most", &IdleConnections::most, "The most that wait, for each endpoint and worker.",
                  from_to(1, 100'000, "off")});

template <>
inline constexpr auto kSection<Parent> = section(
    "parent", "Proxies through which upstreams are reached, which then resolve their names, too.",
    Field<Parent, std::vector<Endpoint>>{"url",
                                         &Parent::endpoints,
                                         "`http://host:port` and `https://host:port` are asked by CONNECT, "
                                         "`socks5://host:port` by SOCKS5. Several share "
                                         "the load and stand in for each other.",
                                         {.as = As::parent_url, .required = true}},
    Field{"credentials_file", &Parent::credentials_file,
          "A file with one line, `user:password`: Basic for HTTP, or the login of SOCKS5.", as(As::path)},
    Field{"plain_http", &Parent::plain_http,
          "How a parent for HTTP is asked for endpoints with `http://`: `absolute` sends it the request "
          "itself, as "
          "such parents expect it, `connect` asks it for a tunnel, in which the request keeps the client's "
          "host."},
    Field{"destinations", &Parent::destinations,
          "Names and networks of endpoints that are reached through it without a word from `via`: `default`, "
          "`*.example.com`, `192.0.2.0/24`."},
    Field{"no_proxy", &Parent::no_proxy,
          "Those that are reached directly all the same; `.internal` is `*.internal`."},
    Field<Parent, HealthCheck>{"health", &Parent::health, "Checks on trial."},
    Field<Parent, Ejection>{"ejection", &Parent::ejection, "What failures of real connections lead to."},
    Field<Parent, Duration>{"try_timeout", &Parent::try_timeout,
                            "How long one of several is tried before the next.", kSome},
    Field<Parent, std::vector<SocketAddress>>{
        "name_servers", &Parent::name_servers,
        "Asked for the names of these proxies; empty for those of the top level.", as(As::name_server)},
    Field<Parent, Tcp>{"tcp", &Parent::tcp, "TCP options of connections to these proxies."},
    Field<Parent, TlsClient>{"tls", &Parent::tls, "TLS towards those that are `https`."});

template <>
inline constexpr auto kSection<Upstream> = section(
    "upstream", "Endpoints that serve the same, under a name for `to`.",
    Field{"endpoints", &Upstream::endpoints, "The servers: URLs, or maps of URL, weight and backup.",
          kRequired},
    Field{"balance", &Upstream::balance, "How an endpoint is chosen for a connection."},
    Field{"hash", &Upstream::hash,
          "What `consistent_hash` hashes: the client's address or the name it asked for."},
    Field{"health", &Upstream::health, "Checks on trial."},
    Field{"ejection", &Upstream::ejection, "What failures of real connections lead to."},
    Field{
        "slow_start", &Upstream::slow_start,
        "How long the share of an endpoint that comes back grows to its full weight; not at the start of the "
        "process, and not with `consistent_hash`.",
        kSomeOrOff},
    Field{"try_timeout", &Upstream::try_timeout, "How long one endpoint is tried before the next.", kSome},
    Field{"tries", &Upstream::tries, "Endpoints tried for one connection.", from_to(1, 100)},
    Field{
        "retry_budget",
        &Upstream::retry_budget,
        "How many further tries there may be for so many connections or requests of the last 10 seconds; ten "
        "a second of each worker are always free.",
        {.most = 1000, .as = As::percent}},
    Field{"max_connections", &Upstream::max_connections,
          "The most connections of each endpoint, or requests under way: those that wait for their next "
          "request "
          "do not count.",
          from_to(1, 1'000'000, "unlimited")},
    Field{"queue", &Upstream::queue, "Who waits while no endpoint may have more connections."},
    Field{"sticky", &Upstream::sticky, "What keeps the requests of a client at one endpoint."},
    Field{"idle_connections", &Upstream::idle_connections, "Connections that wait for their next request."},
    Field{"name_servers", &Upstream::name_servers,
          "Asked for the names of these endpoints; empty for those of the top level.", as(As::name_server)},
    Field{"tcp", &Upstream::tcp, "TCP options of connections to these endpoints."},
    Field{"via", &Upstream::via,
          "The parent through which these endpoints are reached, or `direct`; if not given, the first parent "
          "that has "
          "them among its `destinations`."},
    Field{"tls", &Upstream::tls, "TLS towards endpoints whose URLs begin with `tls` or `https`."});

}  // namespace lockgate::config
