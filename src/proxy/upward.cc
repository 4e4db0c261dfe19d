#include "proxy/upward.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>
#include <string>

#include "proxy/handed_on.h"
#include "proxy/variables.h"
#include "wire/forwarded.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

std::string made_pseudonym() {
  std::random_device random;
  return fmt::format("lockgate-{:08x}", random());
}

std::string_view port_of(const RequestFacts& facts) {
  auto colon = facts.authority.rfind(':');
  bool ported =
      colon != facts.authority.npos && colon + 1 < facts.authority.size() && !facts.authority.ends_with(']');
  if (ported) return facts.authority.substr(colon + 1);
  return facts.scheme == "https" ? "443" : "80";
}

// What is told already, if a trusted proxy has told it, with us behind it in the list.
std::string_view chained(std::string_view before, std::string_view own, Arena& arena) {
  return before.empty() ? own : arena.join(before, ", ", own);
}

std::string_view all_of(const http::Fields& fields, FieldName id, Arena& arena) {
  std::string_view list;
  for (const wire::HeadField& field : fields) {
    if (field.id == id) list = chained(list, field.value, arena);
  }
  return list;
}

std::string_view forwarded_element(const RequestFacts& facts, Arena& arena) {
  const SocketAddress& peer = facts.connection.client;
  std::string element;
  wire::append_forwarded({.client = peer.is_unix() ? Ip() : peer.ip(),
                          .client_port = peer.port(),
                          .by = {},
                          .host = facts.authority,
                          .proto = facts.scheme},
                         element);
  return arena.copy(element);
}

// What a stranger says of himself goes no further, as if we had said it.
void tell_client(http::Request& request, const RequestFacts& facts, Arena& arena) {
  http::Fields& fields = request.fields;
  const config::ClientFields& wanted = facts.route->route->forwarding.client_fields;
  std::string_view told, told_forwarded;
  if (facts.through_proxy) {
    told = all_of(fields, FieldName::x_forwarded_for, arena);
    told_forwarded = all_of(fields, FieldName::forwarded, arena);
  }
  remove_hearsay(fields, facts);
  std::string_view client = address_of_client(facts, arena);
  if (client.empty()) client = "unknown";
  if (wanted.x_forwarded) {
    const SocketAddress& peer = facts.connection.client;
    std::string_view own = client;
    if (facts.through_proxy) own = peer.is_unix() ? "unknown" : arena.copy(peer.ip().text());
    fields.add(FieldName::x_forwarded_for, chained(told, own, arena));
    fields.add(FieldName::x_forwarded_proto, facts.scheme);
    if (!facts.authority.empty()) fields.add(FieldName::x_forwarded_host, facts.authority);
    fields.add(FieldName::x_forwarded_port, port_of(facts));
  }
  if (wanted.request_id) fields.add(FieldName::x_request_id, facts.id);
  if (wanted.x_real_ip) fields.add(FieldName::x_real_ip, client);
  if (wanted.forwarded)
    fields.add(FieldName::forwarded, chained(told_forwarded, forwarded_element(facts, arena), arena));
}

}  // namespace

std::string_view own_pseudonym() {
  static const std::string kName = made_pseudonym();
  return kName;
}

bool has_been_here(const http::Request& request) {
  for (const wire::HeadField& field : request.fields) {
    if (field.id == FieldName::via && field.value.contains(own_pseudonym())) return true;
  }
  return false;
}

bool may_go_further(http::Request& request, Arena& arena) {
  if (request.method != "OPTIONS") return true;
  for (wire::HeadField& field : request.fields.list()) {
    if (!wire::equal_in_any_case(field.name, "Max-Forwards")) continue;
    std::uint32_t left = 0;
    auto [end, error] = std::from_chars(field.value.data(), field.value.data() + field.value.size(), left);
    if (error != std::errc{} || end != field.value.data() + field.value.size()) continue;
    if (left == 0) return false;
    field.value = arena.copy(fmt::format_int(left - 1).str());
  }
  return true;
}

void sign_via(http::Fields& fields, config::Via via, int minor_version, Arena& arena) {
  if (via == config::Via::off) return;
  if (via == config::Via::block) return fields.remove(FieldName::via);
  std::string_view version = minor_version == 0 ? "1.0 " : "1.1 ";
  std::string_view comment = via == config::Via::full ? " (lockgate)" : "";
  fields.add(FieldName::via, arena.join(version, own_pseudonym(), comment));
}

void edit_fields(http::Fields& fields, const config::FieldEdits& edits, const RequestFacts& facts,
                 std::span<const std::uint32_t> patterns, std::span<const Regex> regexes, Arena& arena) {
  for (const std::string& name : edits.remove) fields.remove_alike(name);
  for (std::size_t i = 0; i < edits.edit.size(); ++i) {
    const config::FieldReplacement& edit = edits.edit[i];
    for (wire::HeadField& field : fields.list()) {
      if (!wire::equal_in_any_case(field.name, edit.name)) continue;
      const Regex& regex = regexes[patterns[i]];
      if (regex.matches(field.value)) field.value = arena.copy(regex.replace_all(field.value, edit.with));
    }
  }
  for (const config::FieldValue& field : edits.set) {
    fields.remove_alike(field.name);
    std::string_view value = filled_in(field.value, facts, arena);
    if (!value.empty()) fields.add(field.name, value, wire::field_name(field.name));
  }
  for (const config::FieldValue& field : edits.add) {
    std::string_view value = filled_in(field.value, facts, arena);
    if (!value.empty()) fields.add(field.name, value, wire::field_name(field.name));
  }
}

// What matched becomes `rewrite`, and the rest of the path stays.
std::string_view rewritten_path(const RequestFacts& facts, Arena& arena) {
  const RoutePlan& plan = *facts.route;
  const config::RouteMatch& match = plan.route->match;
  std::string_view to = filled_in(plan.rewrite, facts, arena), path = facts.path;
  std::string_view before, rest;
  switch (match.kind) {
    case config::RouteMatch::Path::any:
      rest = path.substr(path.starts_with('/') ? 1 : 0);
      break;
    case config::RouteMatch::Path::prefix:
      rest = path.substr(std::min(match.path.size(), path.size()));
      break;
    case config::RouteMatch::Path::exact:
      break;
    case config::RouteMatch::Path::regex: {
      std::string_view all = facts.captures.front();
      auto at = static_cast<std::size_t>(all.data() - path.data());
      before = path.substr(0, at);
      rest = path.substr(at + all.size());
      break;
    }
  }
  // Neither two slashes nor none where the two meet, whichever way the operator has written them.
  if (to.ends_with('/') && rest.starts_with('/')) rest.remove_prefix(1);
  bool bare = !to.empty() && !to.ends_with('/') && !rest.empty() && !rest.starts_with('/') &&
              match.kind != config::RouteMatch::Path::regex;
  std::string_view target = arena.join(before, to, bare ? "/" : "", rest);
  if (!target.starts_with('/')) target = arena.join("/", target);
  return target;
}

void prepare_request(http::Request& request, const RequestFacts& facts, std::span<const Regex> regexes,
                     Arena& arena) {
  const config::Route& route = *facts.route->route;
  std::string_view path = route.rewrite ? rewritten_path(facts, arena) : facts.path;
  bool has_query = !facts.query.empty() || facts.target.ends_with('?');
  request.target = has_query ? arena.join(path, "?", facts.query) : path;
  tell_client(request, facts, arena);
  hand_on_identity(request.fields, facts, arena);
  sign_via(request.fields, route.forwarding.via, facts.minor_version, arena);
  edit_fields(request.fields, route.request_fields, facts, facts.route->request_edits, regexes, arena);
}

void address_request(http::Request& request, const RequestFacts& facts, const Target& target, Arena& arena) {
  request.scheme = target.tls ? "https" : "http";
  const std::string& host = facts.route->route->forwarding.host;
  if (host == "preserve" && !facts.authority.empty()) {
    request.authority = facts.authority;
    return;
  }
  if (host != "upstream" && host != "preserve") {
    request.authority = host;
    return;
  }
  request.authority = arena.copy(authority_of(*target.endpoint));
}

}  // namespace lockgate::proxy
