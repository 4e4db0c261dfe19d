#include "proxy/handed_on.h"

#include <algorithm>

#include "proxy/guard_plan.h"
#include "proxy/variables.h"
#include "wire/credentials.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

constexpr std::size_t kLongestChain = 16 * 1024;

// Beside those of users.
constexpr std::string_view kOurs[] = {"Client-Cert",       "Client-Cert-Chain", "Forwarded",
                                      "X-Forwarded-For",   "X-Forwarded-Host",  "X-Forwarded-Port",
                                      "X-Forwarded-Proto", "X-Real-IP"};

// What a proxy is trusted to tell is nobody else's to say.
bool is_for_proxies(std::string_view name, const RequestFacts& facts) {
  const config::TrustedProxies& proxies = facts.listener.listener->trusted_proxies;
  return !proxies.from.empty() && http::is_alike(name, proxies.field);
}

bool is_of_proxy(std::string_view name, const RequestFacts& facts) {
  return facts.through_proxy && wire::equal_in_any_case(name, facts.listener.listener->trusted_proxies.field);
}

bool is_ours(std::string_view name, const RequestFacts& facts) {
  auto is_it = [&](std::string_view ours) { return http::is_alike(name, ours); };
  bool tells_identity = facts.route->route->forwarding.client_fields.request_id;
  return std::ranges::any_of(kOurs, is_it) || std::ranges::any_of(facts.route->user_fields, is_it) ||
         (tells_identity && is_it("X-Request-ID"));
}

// RFC 9440, 2.3: in the order of the handshake, without the client's own; all of it, or nothing.
void tell_issuers(http::Fields& fields, const tls::Session& session, Arena& arena) {
  std::string_view chain;
  for (const tls::OwnedCertificate& issuer : session.peer_issuers) {
    chain = arena.join(chain, chain.empty() ? ":" : ", :", tls::base64_of(issuer.get()), ":");
    if (chain.size() > kLongestChain) return;
  }
  if (!chain.empty()) fields.add("Client-Cert-Chain", chain, FieldName::other);
}

// RFC 9440, 2.2: DER, as a byte sequence of structured fields.
void tell_certificate(http::Fields& fields, const RequestFacts& facts, Arena& arena) {
  const config::ClientFields& wanted = facts.route->route->forwarding.client_fields;
  if (!wanted.client_certificate && !wanted.client_certificate_chain) return;
  std::string_view certificate = value_of(config::Variable::client_certificate_der, facts, arena);
  if (certificate.empty()) return;
  fields.add("Client-Cert", arena.join(":", certificate, ":"), FieldName::other);
  if (wanted.client_certificate_chain) tell_issuers(fields, facts.connection.client_leg->session, arena);
}

}  // namespace

void remove_hearsay(http::Fields& fields, const RequestFacts& facts) {
  std::erase_if(fields.list(), [&](const wire::HeadField& field) {
    bool hearsay = is_for_proxies(field.name, facts) && !is_of_proxy(field.name, facts);
    return hearsay || is_ours(field.name, facts);
  });
}

void hand_on_identity(http::Fields& fields, const RequestFacts& facts, Arena& arena) {
  tell_certificate(fields, facts, arena);
  const GuardPlan* guard = facts.route->guard.get();
  if (!guard || !guard->sign_in->on()) return;
  if (guard->sign_in->authorization == config::Authorization::drop) fields.remove("Authorization");
  if (facts.user.empty()) return;
  const std::string& field = guard->sign_in->user_field;
  if (!field.empty()) fields.add(field, facts.user, wire::field_name(field));
  if (!guard->upstream_password) return;
  std::string credentials = wire::basic_authorization(facts.user, guard->upstream_password->text());
  fields.add("Authorization", arena.copy(credentials), FieldName::other);
}

http::Fields::List trailers_handed_on(http::Fields::List trailers, const RequestFacts& facts) {
  const config::FieldEdits& edits = facts.route->route->request_fields;
  std::erase_if(trailers, [&](const wire::HeadField& trailer) {
    auto is_it = [&](std::string_view name) { return http::is_alike(trailer.name, name); };
    return is_for_proxies(trailer.name, facts) || is_ours(trailer.name, facts) ||
           std::ranges::any_of(edits.remove, is_it) ||
           std::ranges::any_of(edits.set, is_it, &config::FieldValue::name);
  });
  return trailers;
}

}  // namespace lockgate::proxy
