#include "proxy/by_parent.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lockgate::proxy {

const ParentView* parent_to_ask(const UpstreamView& upstream, const Target& target) {
  if (!target.via || target.tls || !config::takes_requests(upstream.upstream->config)) return nullptr;
  const ParentView& parent = upstream.parents[*target.via];
  return parent.takes_requests ? &parent : nullptr;
}

void address_by_parent(http::Request& request, const Target& target, Arena& arena) {
  constexpr std::uint16_t kUsual = 80;
  bool bracketed = target.far_host.contains(':');
  std::string port = target.far_port == kUsual ? "" : fmt::format(":{}", target.far_port);
  request.scheme = "http";
  request.authority = arena.join(bracketed ? "[" : "", target.far_host, bracketed ? "]" : "", port);
}

std::optional<Error> refusal_of_parent(const http::Response& answer, const wire::Credentials* credentials,
                                       std::string& said) {
  constexpr int kWantsLogin = 407;
  if (answer.status < 400) return {};
  auto refusal = wire::refusal_in(answer.status, answer.reason, {answer.fields.begin(), answer.fields.end()});
  bool wants_login = answer.status == kWantsLogin;
  if (!wants_login && refusal.cause.empty()) return {};
  said = refusal.reason;
  if (!refusal.cause.empty()) said += fmt::format(" ({})", refusal.cause);
  if (credentials) said = wire::without_credentials(said, credentials->user, credentials->password, false);
  said = fmt::format("{} {}", refusal.status, said);
  if (wants_login) said += fmt::format("; {}", login_advice(refusal, credentials != nullptr));
  return Error{.code = wants_login ? Errc::refused : wire::meaning_of_refusal(refusal),
               .side = Side::parent,
               .detail = {DetailKind::http_status, static_cast<std::int16_t>(answer.status)},
               .doing = "asking the parent"};
}

std::string login_advice(const wire::ConnectAnswer& answer, bool has_login) {
  if (!answer.schemes.empty() && !answer.offers("basic")) {
    return fmt::format("it wants a login by {}, and Lockgate knows Basic only",
                       fmt::join(answer.schemes, " or "));
  }
  return has_login ? "it does not accept this user and password" : "it wants a user and a password";
}

}  // namespace lockgate::proxy
