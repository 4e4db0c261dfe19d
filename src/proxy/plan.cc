#include "proxy/plan.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "config/template.h"
#include "config/words.h"
#include "proxy/guard_plan.h"

namespace lockgate::proxy {
namespace {

// Who neither says which protocols there are nor has to know the client first lets the upstream choose.
bool carries_alpn(const config::Config& config, const config::Site& site) {
  if (site.is_http()) return false;
  const auto& endpoints = config.upstreams[site.upstream].endpoints;
  return site.tls.alpn.empty() && !site.proxy_tlvs.ssl &&
         std::ranges::all_of(endpoints, &config::Endpoint::tls);
}

void compile_tls(SitePlan& plan, const config::Config& config, const config::Site& site, Registry& registry) {
  plan.server_sides = registry.server_sides(site);
  plan.alpn = tls::alpn_list(config::effective_alpn(site));
  plan.carries_alpn = carries_alpn(config, site);
  plan.key_log = registry.log_target(config::target_of(site.tls.key_log));
}

// The regular expressions of a plan, each once.
class Patterns {
 public:
  std::uint32_t number(const std::string& pattern) {
    auto [found, is_new] = numbers_.emplace(pattern, static_cast<std::uint32_t>(list_.size()));
    if (is_new) list_.push_back(pattern);
    return found->second;
  }
  std::vector<std::string> list() && { return std::move(list_); }

 private:
  std::vector<std::string> list_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

ErrorPages compile_pages(const std::vector<config::ErrorPage>& pages, const Shelf& shelf) {
  ErrorPages compiled;
  for (const config::ErrorPage& page : pages) compiled.add(page.name, shelf.page(page.path));
  return compiled;
}

Maintenance compile_maintenance(const config::Maintenance& config, const Shelf& shelf) {
  return {config, shelf.sign(config.when), shelf.page(config.page)};
}

using SharedRates = std::shared_ptr<const guard::RateRules>;

// What holds above, and beside it what is said here.
SharedRates compile_rates(const SharedRates& above, const guard::RateScope& scope,
                          const std::vector<config::RateRule>& own, Registry& registry) {
  if (own.empty()) return above;
  auto rules = above ? std::make_shared<guard::RateRules>(*above) : std::make_shared<guard::RateRules>();
  registry.guardroom().rates.add(*rules, scope, own);
  return rules;
}

RoutePlan compile_route(const config::Route& route, const Shelf& shelf, Patterns& patterns) {
  RoutePlan plan{.route = &route};
  if (route.match.kind == config::RouteMatch::Path::regex) plan.regex = patterns.number(route.match.path);
  if (route.rewrite) {
    auto rewrite = config::parse_template(*route.rewrite);
    CHECK(rewrite);  // the configuration was refused otherwise
    plan.rewrite = std::move(*rewrite);
  }
  for (const auto& edit : route.request_fields.edit)
    plan.request_edits.push_back(patterns.number(edit.pattern));
  for (const auto& edit : route.response_fields.edit)
    plan.response_edits.push_back(patterns.number(edit.pattern));
  plan.folder = shelf.folder(route.files.folder);
  plan.error_pages = compile_pages(route.error_pages, shelf);
  plan.maintenance = compile_maintenance(route.maintenance, shelf);
  return plan;
}

SitePlan compile_site(const config::Config& config, const config::Listener& listener,
                      const config::Site& site, const SharedRates& rates, Registry& registry,
                      Patterns& patterns, std::span<const std::string> user_fields) {
  SitePlan plan{.site = &site};
  plan.rates = compile_rates(rates, {listener.name, site.name}, site.rates, registry);
  for (const config::Route& route : site.routes) {
    RoutePlan compiled = compile_route(route, registry.shelf(), patterns);
    compiled.access = guard::Access(route.access, registry.guardroom().addresses);
    compiled.tally = registry.request_tally(listener.name, site.name, route.name);
    compiled.guard = compile_guard(config, route, registry,
                                   [&](const std::string& pattern) { return patterns.number(pattern); });
    compiled.user_fields = user_fields;
    compiled.rates = compile_rates(plan.rates, {listener.name, site.name, route.name}, route.rates, registry);
    plan.routes.add(std::move(compiled));
  }
  plan.error_pages = compile_pages(site.error_pages, registry.shelf());
  if (site.is_http()) plan.unrouted = registry.request_tally(listener.name, site.name, "");
  plan.tally = registry.tally(listener.name, site.name, std::string(config::word_of(site.verdict)));
  plan.gate = registry.gate("site " + listener.name + " " + site.name, site.limit.connections);
  plan.access_log = registry.log_target(site.access_log.to);
  if (site.verdict == config::Verdict::terminate) compile_tls(plan, config, site, registry);
  return plan;
}

// Who is refused by all that may decide later is refused before. What is rejected anyway decides nothing.
void compile_access(ListenerPlan& listener, SitePlan& plan, const guard::AddressBook& book) {
  const config::Site& site = *plan.site;
  if (site.verdict == config::Verdict::reject) return;
  plan.access = guard::Access(site.access, book);
  std::vector<const config::Access*> all{&site.access};
  for (const config::Route& route : site.routes) all.push_back(&route.access);
  for (const config::Access* access : all) {
    plan.by_name.add(*access, book);
    listener.at_accept.add(*access, book);
  }
}

// Sites that pass or terminate take TLS and a plain one what is not TLS. A reject site takes TLS, and what is
// not only if it rejects certain clients: so `default` can be rejected for TLS and plain for the rest.
void index_names(ListenerPlan& plan, const config::Site& site) {
  for (const NamePattern& pattern : site.names) {
    auto number = static_cast<std::uint32_t>(plan.names.size());
    plan.names.push_back({static_cast<std::uint32_t>(plan.sites.size() - 1), pattern.text()});
    if (site.verdict != config::Verdict::plain) plan.for_tls.add(pattern, number);
    bool rejects_clients = site.verdict == config::Verdict::reject && !site.match.clients.empty();
    if (site.verdict != config::Verdict::plain && !rejects_clients) continue;
    plan.for_plain.add(pattern, number);
    plan.plain_by_name = plan.plain_by_name || pattern.kind() != NamePattern::Kind::any;
  }
}

ListenerPlan compile_listener(const config::Config& config, const config::Listener& listener,
                              Registry& registry, Patterns& patterns,
                              std::span<const std::string> user_fields) {
  ListenerPlan plan{.listener = &listener};
  plan.nobody = registry.tally(listener.name, "", "none");
  plan.gate = registry.gate("listener " + listener.name, listener.limit.connections);
  plan.access_log = registry.log_target(listener.access_log.to);
  plan.error_pages = compile_pages(listener.error_pages, registry.shelf());
  SharedRates of_process = compile_rates(nullptr, {}, config.rates, registry);
  plan.rates = compile_rates(of_process, {listener.name}, listener.rates, registry);
  for (const auto& site : listener.sites) {
    plan.sites.push_back(compile_site(config, listener, site, plan.rates, registry, patterns, user_fields));
    compile_access(plan, plan.sites.back(), registry.guardroom().addresses);
    index_names(plan, site);
    if (site.is_http() && !plan.misdirected) plan.misdirected = registry.request_tally(listener.name, "", "");
    plan.tells_destination |= site.send_proxy_protocol != config::SendProxyProtocol::off;
  }
  return plan;
}

}  // namespace

bool OwnAddresses::contains(const SocketAddress& address) const {
  return std::ranges::any_of(bound_, [&](const SocketAddress& ours) {
    if (ours == address) return true;
    if (ours.is_unix() || address.is_unix() || ours.port() != address.port()) return false;
    if (!ours.ip().is_unspecified()) return false;
    if (ours.ip().is_v4() && address.ip().is_v6())
      return false;  // the reverse may be ours: [::] can take both
    return address.ip().is_loopback() || address.ip().is_unspecified() ||
           std::ranges::find(local_, address.ip()) != local_.end();
  });
}

const ListenerPlan* Plan::listener(std::string_view name) const {
  auto found = std::ranges::find_if(listeners, [&](const auto& plan) { return plan.listener->name == name; });
  return found == listeners.end() ? nullptr : &*found;
}

std::shared_ptr<const Plan> compile(std::shared_ptr<const config::Config> config, OwnAddresses own,
                                    Registry& registry) {
  auto plan = std::make_shared<Plan>();
  plan->config = std::move(config);
  plan->own = std::move(own);
  plan->guardroom = &registry.guardroom();
  plan->user_fields = user_fields_of(*plan->config);
  plan->ban_rules = guard::BanRules(*plan->config, plan->guardroom->bans);
  plan->gate = registry.gate("process", plan->config->limit.connections);
  auto add = [&](const config::Upstream& upstream) {
    plan->upstreams.push_back(registry.upstream(upstream));
    plan->client_sides.push_back(registry.client_sides(upstream));
  };
  for (const auto& upstream : plan->config->upstreams) add(upstream);
  for (const auto& parent : plan->config->parents) {
    add(parent);
    plan->credentials.push_back(registry.credentials(parent));
  }
  Patterns patterns;
  for (const auto& listener : plan->config->listeners) {
    plan->listeners.push_back(
        compile_listener(*plan->config, listener, registry, patterns, plan->user_fields));
  }
  plan->patterns = std::move(patterns).list();
  return plan;
}

std::optional<wire::ProxyVersion> header_version(const config::Site& site) {
  switch (site.send_proxy_protocol) {
    case config::SendProxyProtocol::v1:
      return wire::ProxyVersion::v1;
    case config::SendProxyProtocol::v2:
      return wire::ProxyVersion::v2;
    case config::SendProxyProtocol::off:
      break;
  }
  return {};
}

namespace {

ParentView view_of_parent(std::shared_ptr<UpstreamView> upstream, const config::Parent& parent,
                          std::shared_ptr<const wire::Credentials> credentials) {
  bool socks = std::ranges::any_of(
      parent.endpoints, [](const config::Endpoint& endpoint) { return endpoint.url.starts_with("socks5:"); });
  ParentView view{.upstream = std::move(upstream), .credentials = std::move(credentials)};
  view.takes_requests = parent.plain_http == config::PlainHttp::absolute && !socks;
  if (view.credentials)
    view.authorization = wire::basic_authorization(view.credentials->user, view.credentials->password);
  return view;
}

}  // namespace

void equip(std::span<const std::shared_ptr<UpstreamView>> views, const Plan& plan, std::size_t thread) {
  std::size_t own = plan.config->upstreams.size();
  std::vector<ParentView> parents;
  for (std::size_t i = own; i < views.size(); ++i)
    parents.push_back(view_of_parent(views[i], plan.config->parents[i - own], plan.credentials[i - own]));
  for (std::size_t i = 0; i < views.size(); ++i) {
    const tls::ClientSides& sides = plan.client_sides[i];
    views[i]->client_side = sides.empty() ? nullptr : sides[thread];
    if (i < own) views[i]->parents = parents;
  }
}

}  // namespace lockgate::proxy
