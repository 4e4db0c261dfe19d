#include "proxy/admission.h"

#include <algorithm>

#include "proxy/page.h"

namespace lockgate::proxy {

using guard::Finding;
using guard::PasswordVerdict;
using loop::Task;

namespace {

constexpr std::string_view kBusyRetryAfter = "2";

void describe(x509_st* certificate, std::optional<guard::ShownCertificate>& shown) {
  if (shown || !certificate) return;
  shown = guard::ShownCertificate{.subject = tls::subject_of(certificate),
                                  .issuer = tls::issuer_of(certificate),
                                  .fingerprint = tls::fingerprint_of(certificate),
                                  .names = tls::alternative_names_of(certificate)};
}

// What an upstream may take for another path than we do is not exempt, whatever it begins with.
bool is_plain(std::string_view rest) {
  bool has_dots = rest.starts_with('.') || rest.contains("/.");
  return !has_dots && !rest.contains("//") && rest.find_first_of("%;\\") == rest.npos;
}

bool is_beneath(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  std::string_view rest = path.substr(prefix.size());
  return (rest.empty() || prefix.ends_with('/') || rest.starts_with('/')) && is_plain(rest);
}

bool is_preflight(const http::Request& request) {
  auto has = [&](std::string_view name) {
    return std::ranges::any_of(request.fields, [&](const wire::HeadField& field) {
      return wire::equal_in_any_case(field.name, name);
    });
  };
  return request.method == "OPTIONS" && has("Origin") && has("Access-Control-Request-Method");
}

}  // namespace

bool is_exempt(const config::SignIn& sign_in, std::string_view path, const http::Request& request) {
  if (sign_in.exempt_preflight && is_preflight(request)) return true;
  return std::ranges::any_of(sign_in.exempt,
                             [&](const std::string& prefix) { return is_beneath(path, prefix); });
}

// A proxy that does not say for whom it speaks is in no network: others are behind it.
guard::Situation situation_of(const RequestFacts& facts, const http::Request& request,
                              std::span<const Regex> regexes, Ip& ip,
                              std::optional<guard::ShownCertificate>& shown) {
  guard::Situation situation{.method = facts.method,
                             .fields = {request.fields.begin(), request.fields.end()},
                             .https = facts.scheme == "https",
                             .regexes = regexes};
  bool named = !facts.through_proxy || facts.client != facts.connection.client;
  if (named && !facts.client.is_unix() && !facts.client.is_none()) {
    ip = facts.client.ip();
    situation.client = &ip;
  }
  const Leg* leg = facts.connection.client_leg.get();
  if (!leg || !leg->open) return situation;
  situation.tls_version = leg->session.version;
  situation.cipher_bits = leg->session.cipher_bits;
  if (facts.route->guard->asks_for_certificate) describe(leg->session.peer_certificate.get(), shown);
  situation.certificate = shown ? &*shown : nullptr;
  return situation;
}

Admission::Admission(House& house, guard::Guardroom& guardroom, std::span<const Regex> regexes,
                     http::Exchange& exchange, RequestFacts& facts,
                     std::optional<guard::ShownCertificate>& shown)
    : house_(house),
      passwords_(guardroom.passwords),
      exchange_(exchange),
      facts_(facts),
      guard_(*facts.route->guard),
      situation_(situation_of(facts, exchange.request(), regexes, client_, shown)) {
  situation_.now = house.reactor.wall();
  situation_.worker = house.worker;
}

// Nobody is asked for a password that could not change anything (RFC 9110, 15.5.2 and 15.5.4).
Task<Admittance> Admission::run() {
  Finding first = find();
  if (first == Finding::denied) co_return refused();
  bool enters =
      first == Finding::granted || proxy::is_exempt(*guard_.sign_in, facts_.path, exchange_.request());
  if (enters) co_return Admittance::granted;
  auto given = credentials();
  if (!given) co_return Admittance::unnamed;
  if (!guard_.users) co_return Admittance::busy;
  auto checking =
      passwords_.check(house_.reactor, house_.worker, *guard_.users, given->user, given->password, client_);
  PasswordVerdict verdict = co_await checking;
  if (verdict == PasswordVerdict::busy) co_return Admittance::busy;
  if (verdict == PasswordVerdict::wrong) {
    facts_.failed_sign_in = true;
    co_return Admittance::wrong;
  }
  facts_.user = given->user;
  situation_.user = given->user;
  situation_.users = guard_.users->at(house_.worker);  // those of now: the file may have changed meanwhile
  situation_.now = house_.reactor.wall();
  co_return find() == Finding::granted ? Admittance::granted : refused();
}

Admittance Admission::refused() const {
  guard::Situation supposed = situation_;
  supposed.supposes_certificate = true;
  bool for_want_of_one = !situation_.certificate && guard_.requirement.find(supposed) != Finding::denied;
  return for_want_of_one ? Admittance::no_certificate : Admittance::forbidden;
}

// Of several fields, of which a reader behind us might take another, none is taken.
std::optional<wire::BasicCredentials> Admission::credentials() {
  const wire::HeadField* only = nullptr;
  for (const wire::HeadField& field : exchange_.request().fields) {
    if (!wire::equal_in_any_case(field.name, "Authorization")) continue;
    if (only) return {};
    only = &field;
  }
  if (!only) return {};
  return wire::read_basic(only->value, exchange_.arena().take(wire::room_for_basic(only->value)));
}

Error turned_away(Admittance admittance, RequestFacts& facts) {
  using http::FieldName;
  switch (admittance) {
    case Admittance::granted:
    case Admittance::forbidden:
      break;
    case Admittance::no_certificate:
      facts.sentence = "This needs a client certificate, and none was shown on this connection.";
      return refusal(Errc::rejected, 403, "looking for the client's certificate");
    case Admittance::busy:
      facts.owed.push_back({"Retry-After", kBusyRetryAfter, FieldName::other});
      return refusal(Errc::limited, 503, "waiting for a password to be checked");
    case Admittance::unnamed:
    case Admittance::wrong:
      facts.owed.push_back({"WWW-Authenticate", facts.route->guard->challenge, FieldName::other});
      return refusal(Errc::rejected, 401,
                     admittance == Admittance::wrong ? "checking the password" : "asking who it is");
  }
  return refusal(Errc::rejected, 403, "looking at `require`");
}

}  // namespace lockgate::proxy
