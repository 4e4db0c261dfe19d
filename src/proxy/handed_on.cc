#include "proxy/handed_on.h"

#include "proxy/guard_plan.h"
#include "proxy/variables.h"
#include "wire/credentials.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

// RFC 9440, 2.2: DER, as a byte sequence of structured fields.
void tell_certificate(http::Fields& fields, const RequestFacts& facts, Arena& arena) {
  fields.remove_alike("Client-Cert");
  fields.remove_alike("Client-Cert-Chain");
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

}  // namespace lockgate::proxy
