// The tables of options of who may enter.
#pragma once
#include "config/field.h"
#include "config/require.h"

namespace lockgate::config {

template <>
inline constexpr auto kSection<SignIn> = section(
    "sign_in", "Signing in with a name and a password (RFC 7617). `off` for none.",
    Field{"users", &SignIn::users, "An entry of `users`: who can sign in."},
    Field{"realm", &SignIn::realm, "What browsers show of what is behind.", as(As::field_value)},
    Field{"user_field", &SignIn::user_field,
          "The field that tells an upstream who has signed in, `off` for none. No request goes on with one "
          "that the client has sent.",
          as(As::field_or_off)},
    Field{"authorization", &SignIn::authorization,
          "Whether the client's credentials go on to the upstream: `drop` or `keep`."},
    Field{"basic_password_file", &SignIn::basic_password_file,
          "The upstream is sent credentials made of the user's name and the password in this file.",
          as(As::absolute_path)},
    Field{"exempt", &SignIn::exempt,
          "What the paths begin with, in whole segments, for which nobody has to sign in; what else is "
          "required still is.",
          as(As::url_path)},
    Field{"exempt_preflight", &SignIn::exempt_preflight,
          "The same for OPTIONS by which browsers ask what another site may do (CORS)."});
template <>
inline constexpr bool kHasShortForm<SignIn> = true;

template <>
inline constexpr auto kSection<TlsCondition> = section(
    "required tls", "What is required of the client's TLS; `yes` if any will do.",
    Field{"version", &TlsCondition::version, "The lowest version."},
    Field{"cipher_bits", &TlsCondition::cipher_bits, "The shortest key of the cipher.", from_to(0, 256)});
template <>
inline constexpr bool kHasShortForm<TlsCondition> = true;

template <>
inline constexpr auto kSection<CertificateCondition> = section(
    "required certificate",
    "What is required of the client's certificate; `yes` if any will do that the site's TLS trusts. Of each "
    "list one must fit.",
    Field{"subject", &CertificateCondition::subjects,
          "Whose it is, as in `CN=ann,O=Example` (RFC 2253), or `~` and a regular expression (RE2) that "
          "matches "
          "anywhere in that.",
          as(As::text_or_regex)},
    Field{"issuer", &CertificateCondition::issuers, "Who has issued it, in the same form.",
          as(As::text_or_regex)},
    Field{"names", &CertificateCondition::names,
          "Names in its subjectAltName; `*.example.com` for all names of hosts beneath."},
    Field{"fingerprints", &CertificateCondition::fingerprints, "Its SHA-256, in hexadecimal.",
          as(As::fingerprint)});
template <>
inline constexpr bool kHasShortForm<CertificateCondition> = true;

template <>
inline constexpr auto kSection<TimeCondition> = section(
    "required time", "When.", Field{"days", &TimeCondition::days, "Days of the week; any if not given."},
    Field{"from", &TimeCondition::from, "When it begins on such a day."},
    Field{"until", &TimeCondition::until, "When it ends; a time before `from` is one of the day after."},
    Field{"zone", &TimeCondition::zone, "Whose clock: that of this machine, or `UTC`."});

template <>
inline constexpr auto kSection<Requirement> = section(
    "require",
    "Who may enter: all conditions that are given must hold. `anybody` and `nobody` stand for themselves; "
    "`signed_in`, `tls` and `client_certificate` alone are short for themselves with `yes`. What is written "
    "takes the place of all that was inherited.",
    Field{"all", &Requirement::all, "Requirements that must all be met."},
    Field{"any", &Requirement::any, "Requirements of which one must be met."},
    Field{
        "none", &Requirement::none,
        "Requirements of which none may be met. It only takes away: something beside it says who may enter."},
    Field{"user", &Requirement::users, "Any of these has signed in."},
    Field{"group", &Requirement::groups, "Somebody of any of these groups has signed in."},
    Field{"signed_in", &Requirement::signed_in, "Somebody has signed in, whoever it is."},
    Field{"networks", &Requirement::networks, "The client is in one of these networks."},
    Field{"methods", &Requirement::methods, "Any of these; `GET` stands for `HEAD`, too.", as(As::method)},
    Field{"tls", &Requirement::tls, "The request came over TLS."},
    Field{"client_certificate", &Requirement::client_certificate,
          "The client has shown a certificate that the site's TLS trusts."},
    Field{"time", &Requirement::time, "It is this time."},
    Field{"fields", &Requirement::fields, "Fields that the request must have, and their values; `*` for any.",
          as(As::field_name)});
template <>
inline constexpr bool kHasShortForm<Requirement> = true;

/// What defaults, listeners, sites and routes say of who may enter.
template <class Struct>
constexpr auto guarded_fields() {
  return std::tuple{Field<Struct, Access>{"access", &Struct::access, "Who is let in by address."},
                    Field<Struct, SignIn>{"sign_in", &Struct::sign_in, "How users sign in, or `off`."},
                    Field<Struct, Requirement>{
                        "require", &Struct::require,
                        "Who may enter; if not given, whoever signs in, or anybody where nobody can. "
                        "[More](access.md#sign-in-and-require)."}};
}

}  // namespace lockgate::config
