#include "config/rules_http.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "config/rules.h"

namespace lockgate::config {
namespace {

using Path = RouteMatch::Path;

class HttpRules {
 public:
  explicit HttpRules(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  /// Of one name, some would be sent requests and others bytes.
  void upstream(const Upstream& upstream) {
    if (takes_bytes(upstream) || takes_requests(upstream)) return;
    const Endpoint& first = upstream.endpoints.front();
    auto other = std::ranges::find_if(upstream.endpoints, [&](const Endpoint& endpoint) {
      return endpoint.kind != Endpoint::Kind::unix_path && endpoint.http != first.http;
    });
    CHECK(other != upstream.endpoints.end());
    error(other->place,
          fmt::format("the upstream `{}` has endpoints for HTTP and others for bytes", upstream.name),
          "make it two upstreams");
  }

  /// Of the application's cookie or of ours, and by names that tell the endpoints apart.
  void sticky(const Upstream& upstream) {
    const Sticky& sticky = upstream.sticky;
    if (!sticky.cookie.empty() && !sticky.own_cookie.empty())
      error(upstream.place, "`sticky` goes by `cookie` or by `own_cookie`, not by both", "leave one out");
    if (!sticky.path_parameter.empty() && sticky.cookie.empty())
      error(upstream.place, "`path_parameter` stands in for a `cookie`", "say which one");
    if (sticky.own_cookie.contains('*'))
      error(upstream.place, "`own_cookie` is the name of one cookie", "a star is for those of applications");
    if (sticky.on() && !takes_requests(upstream))
      error(upstream.place, "`sticky` reads requests, and this upstream is for bytes",
            "`balance: consistent_hash` keeps clients at an endpoint by their addresses");
    std::unordered_map<std::string, Place> names;
    for (const Endpoint& endpoint : upstream.endpoints) {
      if (endpoint.own_name.empty()) continue;
      if (endpoint.kind == Endpoint::Kind::service)
        error(endpoint.place, "a service cannot have a `name`", "it stands for many endpoints");
      auto [first, is_new] = names.emplace(endpoint.own_name, endpoint.place);
      if (!is_new)
        error(endpoint.place,
              fmt::format("`{}` is already the name of an endpoint of this upstream", endpoint.own_name),
              line_of(first->second));
    }
  }

  void site(const Listener& listener, const Site& site) {
    if (!site.is_http()) return;
    std::unordered_map<std::string, Place> names;
    for (const Route& route : site.routes) {
      auto [first, is_new] = names.emplace(route.name, route.place);
      if (!is_new) {
        error(route.place, fmt::format("`{}` is already the name of a route of this site", route.name),
              line_of(first->second));
      }
      redirect(site, route);
    }
    if (!listener.peek)
      error(site.place, "with `peek: off` a site cannot have routes", "requests have to be read for that");
    if (site.verdict == Verdict::terminate) protocols(site);
  }

 private:
  void error(const Place& place, std::string message, std::string hint) {
    diagnostics_.push_back({.place = place, .message = std::move(message), .hint = std::move(hint)});
  }

  void redirect(const Site& site, const Route& route) {
    bool leads_back = route.redirect.written == "https" && site.verdict == Verdict::terminate;
    if (leads_back)
      error(route.place, "`redirect: https` under `terminate` leads back to itself", "it belongs to `plain`");
  }

  void protocols(const Site& site) {
    for (const std::string& protocol : site.tls.alpn) {
      if (protocol == "http/1.1" || protocol == "http/1.0") continue;
      error(site.place, fmt::format("`tls.alpn` offers {}, and routes speak http/1.1 only", protocol),
            "write `tls: { alpn: http/1.1 }` for this site");
    }
  }

  std::vector<Diagnostic>& diagnostics_;
};

bool is_bare(const RouteMatch& match) {
  return match.methods.empty() && match.fields.empty() && match.query.empty();
}

bool is_inside(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/';
}

/// Whether every path that `narrow` takes is one of those of `wide`.
bool covers(const RouteMatch& wide, const RouteMatch& narrow) {
  bool has_prefix = narrow.kind == Path::prefix || narrow.kind == Path::exact;
  switch (wide.kind) {
    case Path::any:
      return true;
    case Path::prefix:
      return (has_prefix && is_inside(narrow.path, wide.path)) ||
             (narrow.kind == Path::regex && wide.path == "/");
    case Path::exact:
    case Path::regex:
      break;
  }
  return narrow.kind == wide.kind && narrow.path == wide.path;
}

std::string place_text(const Place& place) {
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

}  // namespace

void check_http_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  HttpRules rules(diagnostics);
  for (const Upstream& upstream : config.upstreams) {
    rules.upstream(upstream);
    rules.sticky(upstream);
  }
  for (const Listener& listener : config.listeners) {
    for (const Site& site : listener.sites) rules.site(listener, site);
  }
}

std::vector<Diagnostic> unreachable_routes(const Site& site) {
  std::vector<Diagnostic> warnings;
  std::vector<const Route*> takers;  // those without other conditions than the path
  for (const Route& route : site.routes) {
    auto taker = std::ranges::find_if(
        takers, [&](const Route* earlier) { return covers(earlier->match, route.match); });
    if (taker != takers.end()) {
      warnings.push_back({Diagnostic::Severity::warning, route.place,
                          fmt::format("the route `{}` gets no request: `{}` at {} takes all that it could",
                                      route.name, (*taker)->name, place_text((*taker)->place)),
                          "put it before that one"});
    } else if (is_bare(route.match)) {
      takers.push_back(&route);
    }
  }
  return warnings;
}

}  // namespace lockgate::config
