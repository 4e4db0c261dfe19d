// Who may have what: how users sign in, and what is required of a request. Plain structs,
// as those of config.h; defaults, listeners, sites and routes have both.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "config/addresses.h"
#include "config/condition.h"
#include "config/place.h"
#include "config/tls.h"
#include "config/users.h"

namespace lockgate::config {

/// What becomes of the credentials that a client has sent.
enum class Authorization : std::uint8_t { drop, keep };

/// Signing in with a name and a password (RFC 7617). Without users nobody can.
struct SignIn {
  UserListChoice users;
  std::string realm = "Sign in";             // what browsers show of what is behind
  std::string user_field = "X-Remote-User";  // tells an upstream who has signed in; empty: none
  Authorization authorization = Authorization::drop;
  std::string basic_password_file;  // the upstream gets the user's name with this password
  bool exempt_preflight = false;    // of CORS, which browsers send without credentials
  std::vector<std::string> exempt;  // beginnings of paths for which nobody has to sign in
  bool on() const { return users.given(); }
};

/// What is required of the client's TLS.
struct TlsCondition {
  bool wanted = false;
  TlsVersion version = TlsVersion::automatic;  // or newer
  std::uint32_t cipher_bits = 0;               // or more
};

/// What is required of the client's certificate. Of each list that is not empty, one must fit.
struct CertificateCondition {
  bool wanted = false;
  std::vector<std::string> subjects, issuers;  // as RFC 2253 writes them, or `~` and a regular expression
  std::vector<std::string> names;              // of its subjectAltName; `*.` for any beneath
  std::vector<std::string> fingerprints;       // SHA-256 in lower case hexadecimal
};

/// Days of the week, 0 for Monday; `last` may stand before `first`.
struct Weekdays {
  std::uint8_t first = 0, last = 6;
};
/// Minutes since midnight; 24 * 60 is the midnight after.
struct TimeOfDay {
  static constexpr std::uint16_t kMidnightAfter = 24 * 60;
  std::uint16_t minutes = 0;
};
enum class TimeZone : std::uint8_t { local, utc };

/// When. A time until before it begins is one over midnight, and belongs to the day on which it began.
struct TimeCondition {
  std::vector<Weekdays> days;  // empty: all
  TimeOfDay from;
  TimeOfDay until{TimeOfDay::kMidnightAfter};
  TimeZone zone = TimeZone::local;
  bool wanted = false;
};

/// Who may enter: all conditions that are given must hold.
struct Requirement {
  enum class Admits : std::uint8_t { unsaid, anybody, nobody, some };
  Admits admits = Admits::unsaid;  // the rest is of `some`
  std::vector<Requirement> all, any, none;
  std::vector<std::string> users, groups;  // any of them
  bool signed_in = false;
  Addresses networks;
  std::vector<std::string> methods;  // GET stands for HEAD, too
  TlsCondition tls;
  CertificateCondition client_certificate;
  TimeCondition time;
  std::vector<Condition> fields;
  Place place;
};

/// What those have in common that say who may enter.
struct Guarded {
  Access access;
  SignIn sign_in;
  Requirement require;  // what is written takes the place of all that was inherited
};

/// Calls `visit(part)` for the requirement and all that it is made of.
template <class Visit>
void for_each_part(const Requirement& requirement, Visit visit) {
  visit(requirement);
  for (const auto* parts : {&requirement.all, &requirement.any, &requirement.none}) {
    for (const Requirement& part : *parts) for_each_part(part, visit);
  }
}

/// Whether who has signed in can decide about it.
inline bool asks_for_user(const Requirement& requirement) {
  bool asks = false;
  for_each_part(requirement, [&](const Requirement& part) {
    asks = asks || part.signed_in || !part.users.empty() || !part.groups.empty();
  });
  return asks;
}

/// What is required of whoever wants what is `guarded`: where users sign in and nothing else is said, that
/// they do.
inline Requirement effective_requirement(const Guarded& guarded) {
  Requirement requirement = guarded.require;
  if (requirement.admits != Requirement::Admits::unsaid) return requirement;
  requirement.signed_in = guarded.sign_in.on();
  requirement.admits = requirement.signed_in ? Requirement::Admits::some : Requirement::Admits::anybody;
  return requirement;
}

}  // namespace lockgate::config
