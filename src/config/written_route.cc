#include "config/written_route.h"

#include <utility>

namespace lockgate::config {
namespace {

using Path = RouteMatch::Path;

RouteMatch match_of(WrittenRoute& written) {
  RouteMatch match{.methods = std::move(written.methods),
                   .fields = std::move(written.fields),
                   .query = std::move(written.query)};
  for (auto [kind, path] :
       {std::pair(Path::prefix, &written.path), std::pair(Path::exact, &written.path_exact),
        std::pair(Path::regex, &written.path_regex)}) {
    if (path->empty()) continue;
    match.kind = kind;
    match.path = std::move(*path);
  }
  return match;
}

RouteAction action_of(const WrittenRoute& written) {
  if (written.to.given()) return RouteAction::forward;
  if (!written.files.empty()) return RouteAction::files;
  if (written.sign_up.given()) return RouteAction::sign_up;
  return written.redirect.empty() ? RouteAction::status : RouteAction::redirect;
}

}  // namespace

Route meaning(WrittenRoute written) {
  Route route;
  route.match = match_of(written);
  route.name = std::move(written.name);
  route.action = action_of(written);
  if (written.to.given()) route.upstream = written.to.index;
  const std::string& rewrite = written.rewrite.empty() ? written.to.path : written.rewrite;
  if (!rewrite.empty()) route.rewrite = rewrite;
  route.redirect = std::move(written.redirect);
  route.status = written.status;
  route.body = std::move(written.body);
  route.content_type = std::move(written.content_type);
  route.files = {.folder = std::move(written.files),
                 .index = std::move(written.index),
                 .fallback = std::move(written.fallback)};
  route.sign_up = written.sign_up;
  route.forwarding = std::move(written.forward);
  route.security_fields = written.security_fields;
  route.request_fields = std::move(written.request_fields);
  route.response_fields = std::move(written.response_fields);
  route.error_pages = std::move(written.error_pages);
  route.maintenance = std::move(written.maintenance);
  route.trap = std::move(written.trap);
  route.rates = std::move(written.rates);
  static_cast<Guarded&>(route) = std::move(written);
  return route;
}

WrittenRoute written_as(const Route& route) {
  const RouteMatch& match = route.match;
  auto if_kind = [&](Path kind) { return match.kind == kind ? match.path : ""; };
  WrittenRoute written{.name = route.name,
                       .path = if_kind(Path::prefix),
                       .path_exact = if_kind(Path::exact),
                       .path_regex = if_kind(Path::regex),
                       .methods = match.methods,
                       .fields = match.fields,
                       .query = match.query,
                       .to = {},
                       .rewrite = route.rewrite.value_or(""),
                       .redirect = route.redirect,
                       .status = route.status,
                       .body = route.body,
                       .content_type = route.content_type,
                       .files = route.files.folder,
                       .index = route.files.index,
                       .fallback = route.files.fallback,
                       .sign_up = route.sign_up,
                       .forward = route.forwarding,
                       .security_fields = route.security_fields,
                       .request_fields = route.request_fields,
                       .response_fields = route.response_fields,
                       .error_pages = route.error_pages,
                       .maintenance = route.maintenance,
                       .rates = route.rates,
                       .trap = route.trap};
  static_cast<Guarded&>(written) = route;
  if (route.action == RouteAction::forward) written.to.index = route.upstream;
  return written;
}

}  // namespace lockgate::config
