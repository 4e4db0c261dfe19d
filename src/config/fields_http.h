// The tables of options of HTTP: towards clients, towards upstreams, and routes.
#pragma once
#include "config/config.h"
#include "config/field.h"
#include "config/fields_answers.h"
#include "config/fields_limits.h"
#include "config/fields_require.h"
#include "config/written_route.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<HttpServer> = section(
    "http", "HTTP towards clients.",
    Field{"head_timeout", &HttpServer::head_timeout,
          "From the first byte of a request until the end of its head.", kSome},
    Field{"keepalive", &HttpServer::keepalive, "Between two requests of a connection.", kSome},
    Field{"keepalive_requests", &HttpServer::keepalive_requests, "The most requests of one connection.",
          from_to(1, 1'000'000'000, "unlimited")},
    Field{"body_timeout", &HttpServer::body_timeout,
          "Without a byte of a request's body, or without one of an answer taken.", kSome},
    Field{"body_rate",
          &HttpServer::body_rate,
          "Bytes a second that a request's body has to come with.",
          {.least = 1, .most = 1 << 30, .zero = "off", .as = As::bytes}},
    Field{"head_limit",
          &HttpServer::head_limit,
          "The most bytes of a request's head.",
          {.least = 1024, .most = 1 << 20, .as = As::bytes}},
    Field{"field_limit", &HttpServer::field_limit, "The most fields in a request's head.",
          from_to(1, 10'000)},
    Field{"target_limit",
          &HttpServer::target_limit,
          "The most bytes of a request's target: its path and query.",
          {.least = 256, .most = 1 << 20, .as = As::bytes}},
    Field{"request_id", &HttpServer::request_id,
          "Whose `X-Request-ID` becomes the request's identity, if it has 1 to 128 letters, digits or "
          "`._~:+/=@-`: that of `any` client, of `trusted_proxies`, or `never`. Others get one of ours."});

template <>
inline constexpr auto kSection<Paths> = section(
    "paths",
    "What becomes of pieces of a path that two programs may understand differently, before a route is "
    "chosen. "
    "`reject` refuses the request, `raw` leaves them as they are, `decode` makes them what they stand for. "
    "What "
    "is matched is what is sent.",
    Field{"encoded_slashes", &Paths::encoded_slashes, "`%2F` and `%5C`."},
    Field{"dot_segments", &Paths::dot_segments,
          "`.` and `..`, also percent-encoded. Those with parameters (`..;x`) are refused unless `raw`."},
    Field{"empty_segments", &Paths::empty_segments, "Slashes behind slashes, which `decode` makes one."});

template <>
inline constexpr auto kSection<ClientFields> = section(
    "client_fields", "Fields that tell an upstream about the client; a list of these words.",
    Field{"x_forwarded", &ClientFields::x_forwarded,
          "`X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Port`."},
    Field{"x_real_ip", &ClientFields::x_real_ip, "`X-Real-IP`."},
    Field{"forwarded", &ClientFields::forwarded, "`Forwarded` (RFC 7239)."},
    Field{"request_id", &ClientFields::request_id, "`X-Request-ID`, with the request's identity."},
    Field{"client_certificate", &ClientFields::client_certificate,
          "`Client-Cert` (RFC 9440), with the certificate that the client has shown."},
    Field{"client_certificate_chain", &ClientFields::client_certificate_chain,
          "The same, and `Client-Cert-Chain`, with its issuers up to the one that is trusted, unless "
          "that is more than 16 KiB. Clients of such a site resume no sessions, which lack the chain."});
template <>
inline constexpr bool kIsWordList<ClientFields> = true;

template <>
inline constexpr auto kSection<Forwarding> = section(
    "forward", "How a request goes on to its upstream.",
    Field{"host", &Forwarding::host,
          "The host that the upstream is asked for: `preserve` for the client's, `upstream` for that of the "
          "endpoint's URL, or one that is given.",
          as(As::authority)},
    Field{"via", &Forwarding::via,
          "The field `Via`: `on` adds us to it, `full` with our version, `block` removes it, `off` leaves it "
          "as it is."},
    Field{"client_fields", &Forwarding::client_fields,
          "Fields that tell the upstream about the client; `[]` for none."},
    Field{"http", &Forwarding::version, "The version of HTTP that the upstream is spoken to in."},
    Field{"keepalive", &Forwarding::keepalive, "Whether connections to the upstream serve further requests."},
    Field{"first_byte", &Forwarding::first_byte, "From the request sent until the head of the answer.",
          kSome},
    Field{"idle", &Forwarding::idle, "Without a byte of the answer, or without one of the request taken.",
          kSome},
    Field{"total", &Forwarding::total, "For all of the answer.", kSomeOrOff},
    Field{"tunnel", &Forwarding::tunnel,
          "Without a byte either way once the protocol was switched, as for WebSocket.", kSome},
    Field{"body_limit",
          &Forwarding::body_limit,
          "The most bytes of a request's body.",
          {.least = 1, .zero = "unlimited", .as = As::bytes}},
    Field{"retries", &Forwarding::retries, "Further endpoints that are asked where it is safe to ask again.",
          from_to(0, 100)},
    Field{"buffer_request",
          &Forwarding::buffer_request,
          "So many bytes of a request's body are awaited before the upstream is asked, or all of it: a slow "
          "client "
          "holds no connection of the upstream, and what is here can be sent again.",
          {.least = 1024, .most = 1 << 30, .zero = "off", .as = As::bytes}},
    Field{"buffer_response",
          &Forwarding::buffer_response,
          "So many bytes of an answer may wait for a slow client, so that the upstream is done early.",
          {.least = 1024, .most = 1 << 30, .zero = "off", .as = As::bytes}},
    Field{"rewrite_answers", &Forwarding::rewrite_answers,
          "Whether `Location` and its kind, and cookies, are led back from the upstream's address to ours."},
    Field{"intercept_errors", &Forwarding::intercept_errors,
          "Whether `error_pages` take the place of the upstream's answers of their statuses, too."});

template <>
inline constexpr auto kSection<FieldReplacement> = section(
    "edit", "Every part of a field's values that a regular expression matches becomes something else.",
    Field{"pattern", &FieldReplacement::pattern, "What is replaced.", {.as = As::regex, .required = true}},
    Field{"with", &FieldReplacement::with, "By what; `\\1` to `\\9` for groups of the pattern.",
          as(As::replacement)});

template <>
inline constexpr auto kSection<FieldEdits> = section(
    "fields",
    "Changes of a message's fields, made in this order. What defaults, listener and site say holds beside "
    "what "
    "a route says, unless that names the same field under the same key.",
    Field{"remove", &FieldEdits::remove, "Fields that are left out.", as(As::edited_field)},
    Field{"edit", &FieldEdits::edit, "By field, what is replaced in its values.", as(As::edited_field)},
    Field{"set", &FieldEdits::set,
          "By field, a value that takes the place of all that there are; with [variables](#variables).",
          as(As::edited_field)},
    Field{"add", &FieldEdits::add,
          "By field, a value beside those that there are; with [variables](#variables).",
          as(As::edited_field)});

/// What defaults, listeners and sites say of HTTP.
template <class Struct>
constexpr auto http_fields() {
  return std::tuple_cat(
      std::tuple{
          Field<Struct, HttpServer>{"http", &Struct::http, "HTTP towards clients."},
          Field<Struct, Paths>{"paths", &Struct::paths, "Pieces of paths that are ambiguous."},
          Field<Struct, Forwarding>{"forward", &Struct::forwarding, "How requests go on to upstreams."},
          Field<Struct, SecurityFields>{
              "security_fields", &Struct::security_fields,
              "Fields of answers that keep browsers from what hardly any page wants, where "
              "the answer has none of its own; [which](http.md#fields-for-browsers)."},
          Field<Struct, FieldEdits>{"request_fields", &Struct::request_fields,
                                    "Changes of the fields of requests that go on."},
          Field<Struct, FieldEdits>{"response_fields", &Struct::response_fields,
                                    "Changes of the fields of answers to clients."},
          Field<Struct, std::vector<ErrorPage>>{
              "error_pages", &Struct::error_pages,
              "By status, `4xx`, `5xx` or `default`, the file of what is said in place of our own page; with "
              "[variables](#variables) and `$status`. Read when the configuration is; at most 64 KiB."}},
      guarded_fields<Struct>());
}

template <>
inline constexpr auto kSection<WrittenRoute> = section(
    "route",
    "Which requests are taken, and what becomes of them: they go `to` an upstream, or are answered by a "
    "`redirect`, a `status`, `files` or a form to `sign_up`. Of `path`, `path_exact` and `path_regex` one "
    "can be given; without "
    "one, any "
    "path "
    "will do.",
    Field{"name", &WrittenRoute::name, "For logs and metrics; the path if not given."},
    Field{"path", &WrittenRoute::path,
          "What the path begins with, in whole segments: `/app` takes `/app/x`, not `/apple`.",
          as(As::url_path)},
    Field{"path_exact", &WrittenRoute::path_exact, "All of the path.", as(As::url_path)},
    Field{"path_regex", &WrittenRoute::path_regex,
          "A regular expression (RE2) that matches anywhere in the path, unless `^` and `$` say where.",
          as(As::regex)},
    Field{"methods", &WrittenRoute::methods, "Any of these; `GET` stands for `HEAD`, too.", as(As::method)},
    Field{"fields", &WrittenRoute::fields,
          "Fields that the request must have, and their values; `*` for any value.", as(As::field_name)},
    Field{"query", &WrittenRoute::query,
          "Parameters that the query must have, and their values; `*` for any value."},
    Field{"to", &WrittenRoute::to,
          "The name of an upstream, a URL, or endpoints given in place. A path in the URL is short for "
          "`rewrite`."},
    Field{"rewrite", &WrittenRoute::rewrite,
          "What becomes of the part of the path that matched, with `$1` to `$9` for groups of `path_regex`.",
          as(As::rewrite)},
    Field{
        "redirect", &WrittenRoute::redirect,
        "`https` for the same under https, a path, or a URL; with [variables](#variables), and `$1` to `$9` "
        "for groups of `path_regex`.",
        as(As::redirect)},
    Field{"status", &WrittenRoute::status,
          "The status of an answer of our own. With `redirect` 301, 302, 303, 307 or 308, or one that fits.",
          from_to(200, 599)},
    Field{"body", &WrittenRoute::body, "What such an answer holds; with [variables](#variables).",
          as(As::body)},
    Field{"content_type", &WrittenRoute::content_type, "What the body is.", as(As::field_value)},
    Field{"files", &WrittenRoute::files,
          "The folder whose files are the answers: what follows the part of the path that matched, or its "
          "`rewrite`, names one. Nothing outside of it is served, nor what begins with a dot.",
          as(As::absolute_path)},
    Field{"index", &WrittenRoute::index, "The files that stand for their folder; the first that there is.",
          as(As::file_name)},
    Field{"fallback", &WrittenRoute::fallback,
          "The file in that folder that is served where nothing is found, for applications of one page.",
          as(As::url_path)},
    Field{"sign_up", &WrittenRoute::sign_up,
          "The entry of `users` for which a form asks for accounts; `lockgate accounts` grants them."},
    Field{"forward", &WrittenRoute::forward, "How requests go on to the upstream."},
    Field{"security_fields", &WrittenRoute::security_fields,
          "Fields of answers that keep browsers from what hardly any page wants."},
    Field{"request_fields", &WrittenRoute::request_fields, "Changes of the fields of requests that go on."},
    Field{"response_fields", &WrittenRoute::response_fields, "Changes of the fields of answers to clients."},
    Field{"error_pages", &WrittenRoute::error_pages,
          "By status, `4xx`, `5xx` or `default`, the file of what is said in place of our own page."},
    Field{"maintenance", &WrittenRoute::maintenance, "When requests are answered with 503 instead."},
    Field<WrittenRoute, Access>{"access", &WrittenRoute::access, "Who is let in by address; others get 403."},
    Field<WrittenRoute, SignIn>{"sign_in", &WrittenRoute::sign_in, "How users sign in."},
    Field<WrittenRoute, Requirement>{"require", &WrittenRoute::require, "Who may enter."},
    Field{"rates", &WrittenRoute::rates, kRatesSentence},
    Field{"trap", &WrittenRoute::trap,
          "The name of a rule of `bans` with `on: trap`, which counts whoever asks for this."});

}  // namespace lockgate::config
