// The tables of options of sites: for whom they are, and their verdicts.
#pragma once
#include "config/config.h"
#include "config/field.h"
#include "config/fields_http.h"
#include "config/written_route.h"

namespace lockgate::config {

/// What `pass` holds.
struct Forward {
  ParentChoice via;
  UpstreamChoice to;
  SendProxyProtocol send_proxy_protocol = SendProxyProtocol::off;
  ProxyTlvs proxy_tlvs;
};

/// What `plain` holds: routes, or one upstream for all.
struct Plain : Forward {
  std::vector<Route> routes;
};

struct Terminate : Plain {
  std::vector<CertificateChoice> certificate;
};

/// What `redirect` of a site is, short for the only route of `plain`.
struct Redirect {};

/// What `reject` holds.
struct Refuse {
  RejectWith with = RejectWith::alert;
};

template <>
inline constexpr auto kSection<Match> = section(
    "match", "Conditions beside the name. All that are given must hold; of a list, any value suffices.",
    Field{"alpn", &Match::alpn, "Protocols, of which the client must offer one.", as(As::alpn)},
    Field{"ja3", &Match::ja3, "JA3 fingerprints of the client's hello.", as(As::ja3)},
    Field{"ja4", &Match::ja4, "JA4 fingerprints of the client's hello.", as(As::ja4)},
    Field{"clients", &Match::clients, "Networks of clients."});

template <>
inline constexpr auto kSection<ProxyTlvs> = section(
    "proxy_tlvs", "What a PROXY v2 header tells beside the addresses; a list of these words.",
    Field{"alpn", &ProxyTlvs::alpn,
          "The protocol agreed on with the client whose TLS ends here; of others the first that they offer."},
    Field{"authority", &ProxyTlvs::authority, "The name that the client asked for."},
    Field{"unique_id", &ProxyTlvs::unique_id, "The connection's identity in our logs."},
    Field{"ssl", &ProxyTlvs::ssl,
          "What was agreed on with a client whose TLS ends here, and the name in its certificate."});

template <>
inline constexpr bool kIsWordList<ProxyTlvs> = true;

template <class Struct>
constexpr auto forward_fields(Form to) {
  return std::tuple{
      Field<Struct, ParentChoice>{
          "via", &Struct::via,
          "The parent through which the upstream is reached, or `direct`, for this site."},
      Field<Struct, UpstreamChoice>{"to", &Struct::to,
                                    "The name of an upstream, a URL, or endpoints given in place. If their "
                                    "URLs begin with `http`, it is one route that takes everything.",
                                    to},
      Field<Struct, SendProxyProtocol>{
          "send_proxy_protocol", &Struct::send_proxy_protocol,
          "Whether the upstream is told the client's address in a PROXY header; inherited if not given."},
      Field<Struct, ProxyTlvs>{"proxy_tlvs", &Struct::proxy_tlvs,
                               "What a `v2` header tells beside the addresses."}};
}
template <>
inline constexpr auto kSection<Forward> =
    section("pass", "Relays bytes to an upstream as they are.", forward_fields<Forward>(kRequired));

template <class Struct>
constexpr auto routing_fields() {
  return std::tuple_cat(
      forward_fields<Struct>(kAlternative),
      std::tuple{Field<Struct, std::vector<Route>>{
          "routes", &Struct::routes,
          "For HTTP, who answers which requests; the first route whose conditions hold takes a request. "
          "`- include: routes/*.yaml` stands for the routes of those files.",
          kAlternative}});
}
template <>
inline constexpr auto kSection<Plain> =
    section("plain", "Relays what does not begin with TLS to an upstream, or answers it as HTTP by routes.",
            routing_fields<Plain>());

template <>
inline constexpr auto kSection<Terminate> = section(
    "terminate", "Ends TLS here, and relays what was in it to an upstream or answers it as HTTP by routes.",
    routing_fields<Terminate>(),
    Field{
        "certificate", &Terminate::certificate,
        "Entries of `certificates`; of several, each client gets one that has the name and a key it can do, "
        "otherwise the first.",
        kRequired});

template <>
inline constexpr auto kSection<Refuse> =
    section("reject", "Refuses the connection.",
            Field{"with", &Refuse::with,
                  "`alert` tells the client in TLS that its name is unknown, `reset` resets the connection, "
                  "`silence` lets it wait and then closes it."});

template <>
inline constexpr auto kSection<Site> = section(
    "site",
    "The verdict for some names. Exactly one of `pass`, `terminate`, `plain`, `redirect` and `reject` is "
    "given.",
    std::tuple{
        Field{"name", &Site::name, "For logs and metrics; the first of `names` if not given."},
        Field{"names", &Site::names,
              "`www.example.com`, `*.example.com`, `default`, or `~` and a regular expression (RE2) such as "
              "`~^app[0-9]+[.]example[.]com$`. The most specific name of a listener decides, regular "
              "expressions "
              "behind all others but `default`, then file order.",
              kRequired},
        Field{"match", &Site::match, "Conditions beside the name."}},
    std::tuple_cat(http_fields<Site>(), std::tuple{Field{"maintenance", &Site::maintenance,
                                                         "When requests are answered with 503 instead."}}),
    VerdictField<Forward>{"pass", Verdict::pass, "Relays TLS to an upstream undecrypted."},
    VerdictField<Terminate>{"terminate", Verdict::terminate, "Ends TLS here, with a certificate of ours."},
    VerdictField<Plain>{
        "plain", Verdict::plain,
        "Takes a connection that does not begin with TLS, by the Host of an HTTP request if it is one."},
    VerdictField<Redirect>{"redirect", Verdict::plain,
                           "Short for `plain` with one route that redirects: `redirect: https`."},
    VerdictField<Refuse>{"reject", Verdict::reject, "Refuses the connection."},
    Field{"limits", &Site::limit, "Of this site alone."}, Field{"rates", &Site::rates, kRatesSentence},
    Field{"timeouts", &Site::timeouts, "How long each part of a connection may take."},
    Field{"tls", &Site::tls, "TLS towards clients."},
    Field{"access_log", &Site::access_log, "One line per connection."},
    Field{"log_level", &Site::log_level,
          "The level of the log for connections of this site, if not that of the log."});

}  // namespace lockgate::config
