#include "proxy/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "wire/url.h"

namespace lockgate::proxy {
namespace {

using config::Variable;

const tls::Session* session_of(const RequestFacts& facts) {
  const Leg* leg = facts.connection.client_leg.get();
  return leg && leg->open ? &leg->session : nullptr;
}

std::string_view of_address(const SocketAddress& address, Arena& arena) {
  return address.is_unix() || address.is_none() ? std::string_view() : arena.copy(address.ip().text());
}

// As encodeURIComponent() does it, and nginx for its $ssl_client_escaped_cert.
std::string_view percent_encoded(std::string_view text, Arena& arena) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  auto room = arena.take(3 * text.size());
  char* end = room.data();
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (wire::is_unreserved(c)) {
      *end++ = c;
    } else {
      *end++ = '%';
      *end++ = kDigits[byte >> 4];
      *end++ = kDigits[byte & 15];
    }
  }
  return {room.data(), end};
}

// Made when it is asked for, since few want it.
std::string_view of_certificate(Variable variable, const tls::Session& session, Arena& arena) {
  x509_st* certificate = session.peer_certificate.get();
  if (!certificate) return {};
  switch (variable) {
    case Variable::client_certificate_issuer:
      return arena.copy(tls::issuer_of(certificate));
    case Variable::client_certificate_names: {
      std::string_view names;
      for (const std::string& name : tls::alternative_names_of(certificate))
        names = names.empty() ? arena.copy(name) : arena.join(names, ",", name);
      return names;
    }
    case Variable::client_certificate_fingerprint:
      return arena.copy(tls::fingerprint_of(certificate));
    case Variable::client_certificate_pem:
      return percent_encoded(tls::pem_of(certificate), arena);
    case Variable::client_certificate_der:
      return arena.copy(tls::base64_of(certificate));
    default:
      return {};
  }
}

std::string_view of_tls(Variable variable, const tls::Session& session, Arena& arena) {
  switch (variable) {
    case Variable::tls_version:
      return session.protocol;
    case Variable::tls_cipher:
      return session.cipher;
    case Variable::tls_alpn:
      return session.alpn;
    case Variable::client_certificate_subject:
      return session.peer_subject;
    case Variable::client_certificate_serial:
      return session.peer_serial;
    case Variable::client_certificate_verify:
      return session.peer_serial.empty() ? "NONE" : "SUCCESS";
    default:
      return of_certificate(variable, session, arena);
  }
}

// Copied, for the database may go while this is in use.
std::string_view of_geo(Variable variable, const RequestFacts& facts, Arena& arena) {
  const guard::Geo* geo = facts.geo ? facts.geo->at(facts.worker) : nullptr;
  if (!geo) return {};
  if (variable == Variable::client_country) return arena.copy(geo->country_of(facts.client.ip()));
  std::uint32_t system = geo->system_of(facts.client.ip());
  return system == 0 ? std::string_view() : arena.join("AS", fmt::format_int(system).str());
}

std::string_view of_connection(Variable variable, const RequestFacts& facts, Arena& arena) {
  const Facts& connection = facts.connection;
  switch (variable) {
    case Variable::client_address:
      return address_of_client(facts, arena);
    case Variable::client_port:
      return arena.copy(fmt::format_int(facts.client.port()).str());
    case Variable::peer_address:
      return of_address(connection.peer, arena);
    case Variable::client_country:
    case Variable::client_system:
      return of_geo(variable, facts, arena);
    case Variable::listener:
      return facts.listener.listener->name;
    case Variable::tls_name:
      return connection.dialect == Dialect::tls ? std::string_view(connection.name) : std::string_view();
    case Variable::ja3:
      return connection.ja3 ? connection.ja3->text() : std::string_view();
    case Variable::ja4:
      return connection.ja4 ? connection.ja4->text() : std::string_view();
    default:
      break;
  }
  const tls::Session* session = session_of(facts);
  return session ? of_tls(variable, *session, arena) : std::string_view();
}

std::string_view part_of(const config::Template::Part& part, const RequestFacts& facts, Arena& arena) {
  if (part.variable == Variable::none) return part.text;
  if (part.variable == Variable::capture) return facts.captures.at(part.capture);
  return value_of(part.variable, facts, arena);
}

bool ends_line(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

std::string_view address_of_client(const RequestFacts& facts, Arena& arena) {
  return facts.client_address.empty() ? of_address(facts.client, arena) : facts.client_address;
}

std::string_view value_of(Variable variable, const RequestFacts& facts, Arena& arena) {
  switch (variable) {
    case Variable::scheme:
      return facts.scheme;
    case Variable::host:
      return facts.host;
    case Variable::method:
      return facts.method;
    case Variable::target:
      return facts.target;
    case Variable::path:
      return facts.path;
    case Variable::query:
      return facts.query;
    case Variable::request_id:
      return facts.id;
    case Variable::user:
      return facts.user;
    case Variable::site:
      return facts.site ? std::string_view(facts.site->site->name) : std::string_view();
    default:
      return of_connection(variable, facts, arena);
  }
}

std::string_view filled_in(const config::Template& text, const RequestFacts& facts, Arena& arena) {
  if (text.parts.empty()) return {};
  if (text.parts.size() == 1 && text.parts.front().variable == Variable::none) return text.parts.front().text;
  std::string_view whole;
  for (const config::Template::Part& part : text.parts) {
    std::string_view value = part_of(part, facts, arena);
    bool plain = part.variable == Variable::none || std::ranges::none_of(value, ends_line);
    if (!plain) {  // certificates may name whom they like
      auto room = arena.take(value.size());
      std::ranges::transform(value, room.begin(), [](char c) { return ends_line(c) ? ' ' : c; });
      value = {room.data(), room.size()};
    }
    whole = whole.empty() ? value : arena.join(whole, value);
  }
  return whole;
}

}  // namespace lockgate::proxy
