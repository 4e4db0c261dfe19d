#include "config/rules_require.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace lockgate::config {
namespace {

class RequireRules {
 public:
  RequireRules(const Config& config, std::vector<Diagnostic>& diagnostics)
      : config_(config), diagnostics_(diagnostics) {}

  void site(const Site& site) {
    if (!site.is_http()) return relays(site);
    for (const Route& route : site.routes) {
      if (route.action == RouteAction::sign_up && config_.state_folder.empty())
        error(route.place, "`sign_up` keeps what is asked for in the `state_folder`, and there is none",
              "give one");
      if (!is_guarded(route)) continue;
      for_each_part(route.require, [&](const Requirement& part) { this->part(site, route, part); });
    }
  }

 private:
  // What routes inherit is wrong for all of them, and told once.
  void error(const Place& place, std::string message, std::string hint) {
    if (!told_.insert({place.file, place.line, place.column, message}).second) return;
    diagnostics_.push_back({.place = place, .message = std::move(message), .hint = std::move(hint)});
  }

  // Where bytes are relayed nobody can be asked; to let everybody in would be worse than to refuse to start.
  void relays(const Site& site) {
    if (site.verdict == Verdict::reject) return;
    bool open = site.require.admits == Requirement::Admits::unsaid ||
                site.require.admits == Requirement::Admits::anybody;
    if (site.sign_in.on())
      error(site.place, fmt::format("nobody can sign in at the site `{}`, which relays bytes", site.name),
            "write `sign_in: off` for it");
    if (!open)
      error(site.place, fmt::format("the site `{}` relays bytes, and `require` is about requests", site.name),
            "write `require: anybody` for it");
  }

  void part(const Site& site, const Route& route, const Requirement& part) {
    bool asks = part.signed_in || !part.users.empty() || !part.groups.empty();
    if (asks && !route.sign_in.on())
      error(part.place,
            fmt::format("somebody has to sign in here, and nobody can at the route `{}`", route.name),
            "give it, or its site, `sign_in: { users: ... }`, or another `require`");
    else if (!part.groups.empty() && config_.users[route.sign_in.users.index].groups.empty())
      error(part.place,
            fmt::format("`group` is required, and the list `{}` has no groups",
                        config_.users[route.sign_in.users.index].name),
            "give it a file of `groups`");
    bool wants_tls = part.tls.wanted || part.client_certificate.wanted;
    if (part.client_certificate.wanted && site.verdict == Verdict::terminate &&
        site.tls.client_certificate.ask == AskCertificate::none)
      error(part.place, fmt::format("the site `{}` asks clients for no certificate", site.name),
            "give it `tls: { client_certificate: { ask: optional, ca_file: ... } }`");
    bool never = part.client_certificate.wanted || part.tls.cipher_bits > 0 ||
                 part.tls.version != TlsVersion::automatic;
    if (wants_tls && never && site.verdict == Verdict::plain)
      error(part.place, fmt::format("the site `{}` speaks no TLS with its clients", site.name),
            "only a site that terminates TLS knows this of them");
  }

  const Config& config_;
  std::vector<Diagnostic>& diagnostics_;
  std::set<std::tuple<std::string, int, int, std::string>> told_;
};

}  // namespace

void check_access_rules(const Config& config, std::vector<Diagnostic>& diagnostics) {
  RequireRules rules(config, diagnostics);
  for (const Listener& listener : config.listeners) {
    for (const Site& site : listener.sites) rules.site(site);
  }
}

std::vector<Diagnostic> forms_out_of_reach(const Site& site) {
  std::vector<Diagnostic> warnings;
  for (const Route& route : site.routes) {
    if (route.action != RouteAction::sign_up || !asks_for_user(effective_requirement(route))) continue;
    warnings.push_back(
        {Diagnostic::Severity::warning, route.place,
         fmt::format("whoever wants to sign up at the route `{}` has to sign in first", route.name),
         "write `require: anybody` for it"});
  }
  return warnings;
}

// Where a proxy in front ends TLS, or nothing leaves the machine, nobody reads along.
std::vector<Diagnostic> passwords_in_the_open(const Listener& listener) {
  std::vector<Diagnostic> warnings;
  bool local = std::ranges::all_of(listener.bind, [](const Bind& bind) {
    bool own = bind.kind == Bind::Kind::address && !bind.address.is_unix() && bind.address.ip().is_loopback();
    return own || bind.address.is_unix();
  });
  if (local || !listener.trusted_proxies.from.empty()) return warnings;
  for (const Site& site : listener.sites) {
    auto asks = [](const Route& route) {
      return (route.sign_in.on() && is_guarded(route)) || route.action == RouteAction::sign_up;
    };
    if (site.verdict != Verdict::plain || std::ranges::none_of(site.routes, asks)) continue;
    warnings.push_back({Diagnostic::Severity::warning, site.place,
                        fmt::format("passwords for the site `{}` pass in the clear", site.name),
                        "`terminate` TLS for it, and `redirect: https` here"});
  }
  return warnings;
}

}  // namespace lockgate::config
