// What the operator asked for of HTTP: how requests are taken from clients, which route
// takes each, and how they go on. Plain structs, as those of config.h, which holds them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/answers.h"
#include "config/limits.h"
#include "config/place.h"
#include "config/require.h"
#include "config/upstream.h"

namespace lockgate::config {

using namespace std::chrono_literals;

/// What is done about a piece of a path that readers understand differently.
enum class PathPolicy : std::uint8_t { reject, raw, decode };

/// Whose word is taken for a request's identity: nobody's, that of trusted proxies, or anybody's.
enum class RequestId : std::uint8_t { never, trusted, any };

/// HTTP towards clients: of a listener, or of a site.
struct HttpServer {
  Duration head_timeout = 10s;           // first byte of a request until the end of its head
  Duration keepalive = 60s;              // between two requests
  std::uint32_t keepalive_requests = 0;  // of one connection; 0: any number
  Duration body_timeout = 30s;           // no byte of a request's body, or none of an answer taken
  std::uint32_t body_rate = 500;         // bytes a second that a request's body has to come with; 0: any
  std::uint32_t head_limit = 32 * 1024;  // bytes of a request's head
  std::uint32_t field_limit = 100;
  std::uint32_t target_limit = 8 * 1024;      // bytes of a request's target
  RequestId request_id = RequestId::trusted;  // whose X-Request-ID becomes the request's identity
};

/// What is asked of a request's path before a route is chosen. What is matched is what is sent.
struct Paths {
  PathPolicy encoded_slashes = PathPolicy::reject;  // %2F and %5C
  PathPolicy dot_segments = PathPolicy::decode;     // `.` and `..`, also encoded; those with parameters
                                                    // (`..;x`) are refused unless raw
  PathPolicy empty_segments = PathPolicy::decode;   // slashes behind slashes; decoded they are one
};

enum class Via : std::uint8_t { off, on, full, block };
/// How much an answer tells browsers not to do, where the application does not say it.
enum class SecurityFields : std::uint8_t { off, basic, strict };
enum class HttpVersion : std::uint8_t { http1_1, http1_0 };

/// Fields that tell an upstream about the client.
struct ClientFields {
  bool x_forwarded = true;  // X-Forwarded-For, -Proto, -Host and -Port
  bool x_real_ip = false;
  bool forwarded = false;                 // RFC 7239
  bool request_id = false;                // X-Request-ID
  bool client_certificate = false;        // Client-Cert (RFC 9440)
  bool client_certificate_chain = false;  // the same, and Client-Cert-Chain
};

/// What may stand in a text that is made for each request, $client_address.
enum class Variable : std::uint8_t {
  none,            // plain text
  capture,         // $1 to $9: a group of the route's regular expression
  client_address,  // without its port
  client_port,
  peer_address,    // who is connected: the client, or a proxy that speaks for it
  client_country,  // "DE"
  client_system,   // "AS3320"
  scheme,          // http or https, as the client used it
  host,            // of the request, without its port
  method,
  target,  // path and query, as sent
  path,
  query,  // without its question mark
  request_id,
  user,  // who has signed in
  site,
  listener,
  tls_version,  // "TLSv1.3"; this and what follows is empty where it does not apply
  tls_cipher,
  tls_name,  // the name in the hello
  tls_alpn,
  ja3,
  ja4,
  client_certificate_subject,
  client_certificate_issuer,
  client_certificate_serial,
  client_certificate_names,        // of its subjectAltName, joined by commas
  client_certificate_fingerprint,  // SHA-256, in hexadecimal
  client_certificate_pem,          // percent-encoded
  client_certificate_der,          // in base64
  client_certificate_verify,       // "SUCCESS", "NONE" or "FAILED"
  // Known only once the answer is over: for access logs alone.
  time,         // when the request began, as in other logs
  time_common,  // the same as Apache writes it
  connection,
  request_line,
  protocol,
  referer,
  user_agent,
  status,
  route,
  upstream,
  endpoint,
  address,
  parent,
  attempts,
  tries,
  reused,
  answer_ms,
  duration_ms,
  bytes_up,
  bytes_down,
  body_bytes,  // bytes_down as Apache writes it
  outcome,
  ended_by,
  reason,
};

/// A text with variables, taken apart.
struct Template {
  struct Part {
    Variable variable = Variable::none;
    std::uint8_t capture = 0;  // its number
    std::string text;          // of plain text
  };
  std::vector<Part> parts;
  std::string written;  // as the operator wrote it
  bool empty() const { return parts.empty(); }
};

struct FieldValue {
  std::string name;
  Template value;
};
/// Every part of a field's values that a regular expression matches becomes something else.
struct FieldReplacement {
  std::string name;
  std::string pattern;
  std::string with;  // \\1 to \\9 for its groups
};

/// Changes of a message's fields, made in this order.
struct FieldEdits {
  std::vector<std::string> remove;
  std::vector<FieldReplacement> edit;
  std::vector<FieldValue> set;  // takes the place of all of that name
  std::vector<FieldValue> add;  // beside what there is
};

/// How a request goes on to its upstream. Inherited: defaults, listener, site, route.
struct Forwarding {
  std::string host = "preserve";  // "preserve", "upstream" or a name
  Via via = Via::on;
  ClientFields client_fields;
  HttpVersion version = HttpVersion::http1_1;
  bool keepalive = true;              // connections to the upstream serve further requests
  Duration first_byte = 60s;          // request sent until the head of the answer
  Duration idle = 60s;                // no byte of the answer's body, or none of the request's taken
  Duration total = 0s;                // all of it; 0: any time
  Duration tunnel = 1h;               // no byte either way, once the protocol was switched
  std::uint64_t body_limit = 0;       // bytes of a request's body; 0: any number
  std::uint32_t retries = 1;          // further endpoints, where it is safe to ask again
  std::uint64_t buffer_request = 0;   // bytes of a body that are there before the upstream is asked; 0: off
  std::uint64_t buffer_response = 0;  // bytes of an answer that wait for its client; 0: off
  bool rewrite_answers = true;        // Location and its kind, and cookies, back to our own address
  bool intercept_errors = false;      // error pages also in place of the upstream's answers
};

/// Which requests a route takes. All conditions that are given must hold.
struct RouteMatch {
  enum class Path : std::uint8_t { any, prefix, exact, regex };
  Path kind = Path::any;
  std::string path;                  // prefix: on boundaries of segments
  std::vector<std::string> methods;  // GET stands for HEAD, too
  std::vector<Condition> fields;
  std::vector<Condition> query;
};

/// What becomes of the requests that a route takes.
enum class RouteAction : std::uint8_t { forward, redirect, status, files, sign_up };

struct Route : Guarded {
  std::string name;  // for logs and metrics: `name:`, else the path
  RouteMatch match;
  RouteAction action = RouteAction::forward;
  std::uint32_t upstream = 0;          // of forward: index into Config::upstreams
  std::optional<std::string> rewrite;  // of forward and files: what becomes of the part of the path that
                                       // matched, which is `/` where none is asked for; of captures only
  Template redirect;                   // "https", a path, or a URL
  std::uint32_t status = 0;            // of redirect (0: by its kind) and status
  Template body;                       // of status
  std::string content_type = "text/plain; charset=utf-8";
  Files files;             // of files
  UserListChoice sign_up;  // of sign_up: for which an account can be asked
  Forwarding forwarding;
  SecurityFields security_fields = SecurityFields::off;
  FieldEdits request_fields, response_fields;  // those of defaults, listener and site come first
  std::vector<ErrorPage> error_pages;          // the same
  Maintenance maintenance;
  std::vector<RateRule> rates;  // of its own
  std::string trap;             // the rule of `bans` that counts whoever comes here; empty: none
  Place place;
};

}  // namespace lockgate::config
