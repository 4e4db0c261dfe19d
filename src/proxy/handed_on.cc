#include "proxy/handed_on.h"

#include <algorithm>

#include "proxy/guard_plan.h"
#include "proxy/variables.h"
#include "wire/credentials.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

constexpr std::string_view kCertificateFields[] = {"Client-Cert", "Client-Cert-Chain"};

// RFC 9440, 2.2: DER, as a byte sequence of structured fields.
void tell_certificate(http::Fields& fields, const RequestFacts& facts, Arena& arena) {
  for (std::string_view name : kCertificateFields) fields.remove_alike(name);
  if (!facts.route->route->forwarding.client_fields.client_certificate) return;
  std::string_view certificate = value_of(config::Variable::client_certificate_der, facts, arena);
  if (!certificate.empty()) fields.add("Client-Cert", arena.join(":", certificate, ":"), FieldName::other);
}

}  // namespace

void hand_on_identity(http::Fields& fields, const RequestFacts& facts, Arena& arena) {
  tell_certificate(fields, facts, arena);
  for (const std::string& name : facts.route->user_fields) fields.remove_alike(name);
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
    return std::ranges::any_of(kCertificateFields, is_it) ||
           std::ranges::any_of(facts.route->user_fields, is_it) || std::ranges::any_of(edits.remove, is_it) ||
           std::ranges::any_of(edits.set, is_it, &config::FieldValue::name);
  });
  return trailers;
}

}  // namespace lockgate::proxy
