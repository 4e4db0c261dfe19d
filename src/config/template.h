// Texts with variables, which are filled in for each request: "$client_address",
// "${host}/new", "$1" for a group of the route's regular expression, "$$" for a dollar.
//
// Taken apart once, when the configuration is read. Any thread.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/http.h"
#include "config/values.h"

namespace lockgate::config {

/// What the operator calls a variable, and what the reference says of it.
struct VariableName {
  std::string_view name;
  std::string_view sentence;
};

/// The enumerator that the first name stands for; the others follow in its order.
inline constexpr Variable kFirstNamed = Variable::client_address;
inline constexpr std::array<VariableName, 29> kVariables{{
    {"client_address", "The client's address, without its port."},
    {"client_port", "The client's port."},
    {"peer_address", "Who is connected: the client, or a proxy that speaks for it in a PROXY header."},
    {"client_country", "The country of the client as `geo` knows it, `DE`; empty if it does not."},
    {"client_system",
     "The autonomous system of the client as `geo` knows it, `AS3320`; empty if it does not."},
    {"scheme", "`http` or `https`, as the client used it."},
    {"host", "The host of the request, without its port."},
    {"method", "`GET` and its kind."},
    {"target", "Path and query, as sent."},
    {"path", "The path of the request."},
    {"query", "What follows the question mark."},
    {"request_id", "The request's identity in our logs."},
    {"user", "Who has signed in."},
    {"site", "The name of the site."},
    {"listener", "The name of the listener."},
    {"tls_version", "`TLSv1.3` and its kind; this and all below are empty where they do not apply."},
    {"tls_cipher", "The cipher that was agreed on with the client."},
    {"tls_name", "The name in the client's hello (SNI)."},
    {"tls_alpn", "The protocol that was agreed on with the client."},
    {"ja3", "The JA3 fingerprint of the client's hello."},
    {"ja4", "The JA4 fingerprint of the client's hello."},
    {"client_certificate_subject", "Who the client's certificate is for."},
    {"client_certificate_issuer", "Who issued it."},
    {"client_certificate_serial", "Its serial number."},
    {"client_certificate_names", "The names in its subjectAltName (DNS, IP, mail, URI), joined by commas."},
    {"client_certificate_fingerprint", "Its SHA-256, in hexadecimal."},
    {"client_certificate_pem", "All of it as PEM, percent-encoded; as nginx's `$ssl_client_escaped_cert`."},
    {"client_certificate_der", "All of it in base64."},
    {"client_certificate_verify", "`SUCCESS`, `NONE` or `FAILED`."},
}};

/// The same of those that follow, which only access logs know.
inline constexpr Variable kFirstOfLogs = Variable::time;
inline constexpr std::array<VariableName, 24> kLogVariables{{
    {"time", "When the request began, `2026-11-20T18:55:01.123Z`."},
    {"time_common", "The same as Apache writes it, `20/Nov/2026:18:55:01 +0000`."},
    {"connection", "The identity of the connection."},
    {"request_line", "Method, target and version, as in `GET /x HTTP/1.1`."},
    {"protocol", "`HTTP/1.1` or `HTTP/1.0`."},
    {"referer", "The field `Referer`."},
    {"user_agent", "The field `User-Agent`."},
    {"status", "The status of the answer."},
    {"route", "The name of the route."},
    {"upstream", "The name of the upstream."},
    {"endpoint", "The endpoint that was asked last."},
    {"address", "Its address."},
    {"parent", "The proxy through which it was reached."},
    {"attempts", "How many endpoints were tried."},
    {"tries", "What became of the tries that failed."},
    {"reused", "`true` if the connection to the endpoint was there already, else `false`."},
    {"answer_ms", "Milliseconds until the answer began."},
    {"duration_ms", "Milliseconds until it was over."},
    {"bytes_up", "Bytes of the request's body."},
    {"bytes_down", "Bytes of the answer's body."},
    {"body_bytes", "The same, and `-` for none, as Apache writes it."},
    {"outcome", "`finished`, or the name of an error."},
    {"ended_by", "Whose side the error was on."},
    {"reason", "The error in words."},
}};

/// Where a text is used, which decides about its variables.
enum class TemplateUse : std::uint8_t { message, access_log };

/// Takes a text apart. A variable that is not known there, and a dollar that begins none, is a misfit.
Outcome<Template> parse_template(std::string_view text, TemplateUse use = TemplateUse::message);

/// Takes a page apart, which knows $status, too. Whatever is no variable stays as it is: pages have dollars
/// of their own.
Template parse_page(std::string_view text);

/// The largest number of a capture in it, 0 if it has none.
std::uint8_t last_capture(const Template& text);

}  // namespace lockgate::config
