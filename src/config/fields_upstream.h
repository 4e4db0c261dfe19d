// The tables of options of upstreams: their endpoints, and who watches over them.
#pragma once
#include "config/config.h"
#include "config/field.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<Endpoint> = section(
    "endpoint", "One server of an upstream. A bare URL is short for `{ url: ... }`.",
    Field{"url",
          &Endpoint::url,
          "`tcp://host:port`, `tcp+srv://_service._tcp.name` or `unix:/path`; with TLS around the bytes "
          "`tls://host:port` or `tls+srv://_service._tcp.name`.",
          {.as = As::url, .required = true}},
    Field{"weight", &Endpoint::weight, "Its share of connections, against that of the others.",
          from_to(1, 1000)},
    Field{"backup", &Endpoint::backup, "Used only while no other endpoint can be."});

template <>
inline constexpr auto kSection<HealthCheck> =
    section("health", "TCP connections on trial, which find out which endpoints are alive.",
            Field{"every", &HealthCheck::every, "Time between two checks of an endpoint.", kSomeOrOff},
            Field{"timeout", &HealthCheck::timeout, "How long a check may take.", kSome},
            Field{"rise", &HealthCheck::rise, "Successes in a row until a dead endpoint is used again.",
                  from_to(1, 1000)},
            Field{"fall", &HealthCheck::fall, "Failures in a row until a live endpoint is passed over.",
                  from_to(1, 1000)});

template <>
inline constexpr auto kSection<Ejection> =
    section("ejection", "Puts an endpoint aside for a while when real connections to it fail.",
            Field{"failures", &Ejection::failures, "Failures in a row that eject an endpoint.",
                  from_to(1, 1'000'000, "off")},
            Field{"time", &Ejection::time, "How long it stays ejected.", kSome});

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
    Field{"try_timeout", &Upstream::try_timeout, "How long one endpoint is tried before the next.", kSome},
    Field{"tries", &Upstream::tries, "Endpoints tried for one connection.", from_to(1, 100)},
    Field{"name_servers", &Upstream::name_servers,
          "Asked for the names of these endpoints; empty for those of the top level.", as(As::name_server)},
    Field{"tcp", &Upstream::tcp, "TCP options of connections to these endpoints."},
    Field{"tls", &Upstream::tls, "TLS towards endpoints whose URLs begin with `tls`."});

}  // namespace lockgate::config
