#include "proxy/security_fields.h"

#include <span>

namespace lockgate::proxy {
namespace {

struct SecurityField {
  std::string_view name, value;
  bool https_only = false;
};

// A year, as lists of preloaded hosts want it. Over plain HTTP it must not be said (RFC 6797, 7.2).
constexpr SecurityField kBasic[] = {
    {"Strict-Transport-Security", "max-age=31536000", true},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "SAMEORIGIN"},
    {"Referrer-Policy", "strict-origin-when-cross-origin"},
};
// With `no-referrer`, browsers would send `Origin: null` with forms, which guards against forgery refuse.
constexpr SecurityField kStrict[] = {
    {"Strict-Transport-Security", "max-age=31536000; includeSubDomains", true},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"},
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

}  // namespace

void add_security_fields(http::Response& answer, config::SecurityFields wanted, bool https) {
  if (wanted == config::SecurityFields::off || answer.status < 200) return;
  bool strict = wanted == config::SecurityFields::strict;
  if (strict) {
    answer.fields.remove("Server");
    answer.fields.remove("X-Powered-By");
  }
  // The fields of a 304 take the place of those that a cache has kept, which may be the application's own
  // (RFC 9111, 4.3.4).
  if (answer.status == 304) return;
  for (const SecurityField& field : strict ? std::span<const SecurityField>(kStrict) : kBasic) {
    bool told = (field.https_only && !https) || wire::value_in(answer.fields, field.name);
    if (!told) answer.fields.add(field.name, field.value, wire::field_name(field.name));
  }
}

}  // namespace lockgate::proxy
