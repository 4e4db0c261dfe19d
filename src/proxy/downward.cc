#include "proxy/downward.h"

#include <optional>
#include <string>

#include "proxy/answer_rewrite.h"
#include "proxy/security_fields.h"
#include "proxy/upward.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

bool speaks_of_itself(FieldName id) {
  return id == FieldName::location || id == FieldName::content_location || id == FieldName::refresh ||
         id == FieldName::link || id == FieldName::set_cookie;
}

std::optional<std::string> rewritten(const wire::HeadField& field, const Mapping& mapping) {
  switch (field.id) {
    case FieldName::location:
    case FieldName::content_location:
      return rewritten_location(field.value, mapping);
    case FieldName::refresh:
      return rewritten_refresh(field.value, mapping);
    case FieldName::link:
      return rewritten_link(field.value, mapping);
    case FieldName::set_cookie:
      return rewritten_cookie(field.value, mapping);
    default:
      return {};
  }
}

std::string_view without_scheme(std::string_view url) {
  auto begin = url.find("://");
  return begin == url.npos ? std::string_view() : url.substr(begin + 3);
}

// Paths beneath the route are paths beneath its rewrite; an expression has no such prefixes.
Mapping mapping_of(const RequestFacts& facts, const http::Request& sent) {
  const config::Route& route = *facts.route->route;
  Mapping mapping{.scheme = sent.scheme,
                  .authority = sent.authority,
                  .endpoint = facts.endpoint ? without_scheme(facts.endpoint->label()) : std::string_view(),
                  .prefix = "",
                  .public_scheme = facts.scheme,
                  .public_authority = facts.authority,
                  .public_prefix = ""};
  bool plain = route.match.kind != config::RouteMatch::Path::regex;
  if (route.rewrite && plain) {
    mapping.prefix = *route.rewrite;
    mapping.public_prefix = route.match.path;
  }
  return mapping;
}

}  // namespace

void prepare_answer(http::Response& answer, const RequestFacts& facts, const http::Request& sent,
                    std::span<const Regex> regexes, Arena& arena) {
  const config::Route& route = *facts.route->route;
  if (route.forwarding.rewrite_answers) {
    for (wire::HeadField& field : answer.fields.list()) {
      if (!speaks_of_itself(field.id)) continue;
      if (auto value = rewritten(field, mapping_of(facts, sent))) field.value = arena.copy(*value);
    }
  }
  add_security_fields(answer, route.security_fields, facts.scheme == "https");
  edit_fields(answer.fields, route.response_fields, facts, facts.route->response_edits, regexes, arena);
}

}  // namespace lockgate::proxy
