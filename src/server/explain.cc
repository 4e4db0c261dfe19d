#include "server/explain.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "config/parse.h"
#include "config/words.h"
#include "guard/address_sources.h"
#include "proxy/router.h"
#include "server/explain_access.h"
#include "server/explain_request.h"

namespace lockgate::server {
namespace {

using nlohmann::ordered_json;

// A plan needs things of a process; to look at, empty ones do.
class NoProcess final : public proxy::Registry {
 public:
  std::shared_ptr<proxy::Tally> tally(const std::string&, const std::string&, const std::string&) override {
    return nullptr;
  }
  std::shared_ptr<proxy::RequestTally> request_tally(const std::string&, const std::string&,
                                                     const std::string&) override {
    return nullptr;
  }
  std::shared_ptr<proxy::Gate> gate(const std::string&, std::uint32_t) override { return nullptr; }
  guard::Guardroom& guardroom() override { return guardroom_; }
  std::shared_ptr<const proxy::Upstream> upstream(const config::Upstream& config) override {
    return std::make_shared<proxy::Upstream>(config);
  }
  tls::ServerSides server_sides(const config::Site&) override { return {}; }
  std::shared_ptr<const wire::Credentials> credentials(const config::Parent&) override { return nullptr; }
  tls::ClientSides client_sides(const config::Upstream&) override { return {}; }
  std::uint16_t log_target(const config::LogTarget&) override { return 0; }
  const proxy::Shelf& shelf() const override { return shelf_; }

 private:
  guard::Guardroom guardroom_{1};
  proxy::Shelf shelf_;
};

struct Asked {
  std::string name;
  bool plain;
  std::vector<std::string> alpn;
  Ip client;
  std::optional<AskedRequest> request;  // of a URL of HTTP
};

AskedRequest request_of(const ExplainQuestion& question, std::string_view authority,
                        std::string_view target) {
  std::string slash = target.starts_with('/') ? "" : "/";
  return {.method = question.method,
          .authority = std::string(authority),
          .target = slash + std::string(target),
          .fields = question.fields};
}

// "https://app.example.org:8443/x" asks for app.example.org by TLS; "http://" is plain.
std::expected<Asked, std::string> read(const ExplainQuestion& question) {
  Asked asked{.plain = question.plain};
  std::string_view host = question.name;
  if (auto scheme = host.find("://"); scheme != std::string_view::npos) {
    bool http = host.starts_with("http://") || host.starts_with("https://");
    asked.plain = asked.plain || host.substr(0, scheme) == "http";
    host = host.substr(scheme + 3);
    std::string_view whole = host.substr(0, host.find('#'));
    host = whole.substr(0, whole.find_first_of("/?"));
    if (http) asked.request = request_of(question, host, whole.substr(host.size()));
    if (auto colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
      host = host.substr(0, colon);
    }
  }
  if (!host.empty() && !is_ip_literal(host)) {
    auto name = normalized_name(host);
    if (!name) return std::unexpected(fmt::format("\"{}\" is not a host name", host));
    asked.name = *name;
  }
  auto client = Ip::parse(question.client);
  if (!client) return std::unexpected(fmt::format("\"{}\" is not an IP address", question.client));
  asked.client = *client;
  std::istringstream alpn(question.alpn);
  for (std::string protocol; std::getline(alpn, protocol, ',');) asked.alpn.push_back(protocol);
  return asked;
}

void tell_site(ordered_json& told, const config::Site& site, std::string_view pattern) {
  told["site"] = site.name;
  told["verdict"] = config::word_of(site.verdict);
  told["why"] = pattern == "default" ? "default" : fmt::format("name {}", pattern);
  if (site.place.line > 0) told["place"] = fmt::format("{}:{}", site.place.file, site.place.line);
}

ordered_json describe(const proxy::ListenerPlan& listener, const proxy::Plan& plan, const Asked& asked,
                      const ExplainQuestion& question) {
  ordered_json told{{"listener", listener.listener->name}};
  std::string name = asked.name.empty() && !asked.plain ? listener.listener->no_sni : asked.name;
  proxy::Question routing{.tls = !asked.plain,
                          .name = name,
                          .alpn = asked.alpn,
                          .client = asked.client,
                          .ja3 = [&]() -> std::string_view { return question.ja3; },
                          .ja4 = [&]() -> std::string_view { return question.ja4; }};
  if (!listener.listener->peek) told["peek"] = false;
  proxy::Answer answer = proxy::route(listener, routing);
  bool refused = tell_refused_connection(told, listener, answer.site, asked.client);
  if (!answer.site) {
    told["verdict"] = "none";
    told["why"] = "no site of this listener takes it: it is refused";
    return told;
  }
  const config::Site& site = *answer.site->site;
  tell_site(told, site, answer.pattern);
  if (refused || site.verdict == config::Verdict::reject) return told;
  if (site.is_http() && asked.request) {
    explain_request(told, plan, listener, *answer.site, routing, *asked.request);
    return told;
  }
  if (site.is_http()) {
    for (const config::Route& route : site.routes) told["routes"].push_back(route.name);
    return told;
  }
  if (!told.contains("access")) tell_admission(told, answer.site->access, asked.client);
  const config::Upstream& upstream = plan.config->upstreams[site.upstream];
  told["upstream"] = upstream.name;
  for (const auto& endpoint : upstream.endpoints) told["endpoints"].push_back(endpoint.url);
  return told;
}

std::string as_text(const ordered_json& told) {
  std::string text;
  for (const auto& [key, value] : told.items()) {
    if (value.is_array()) {
      for (const auto& item : value) text += fmt::format("  {}: {}\n", key, item.get<std::string>());
    } else if (key != "listener") {
      bool one_line = value.is_string() && !value.get_ref<const std::string&>().contains('\n');
      text += fmt::format("  {}: {}\n", key, one_line ? value.get<std::string>() : value.dump());
    }
  }
  return fmt::format("listener {}\n{}", told["listener"].get<std::string>(), text);
}

}  // namespace

std::expected<std::string, std::string> explain(const config::Config& config, const ExplainQuestion& question,
                                                bool json) {
  auto asked = read(question);
  if (!asked) return std::unexpected(asked.error());
  auto addresses = guard::AddressSources::of(config);
  if (!addresses) return std::unexpected(config::words(addresses.error().front()));
  NoProcess none;
  addresses->fill(none.guardroom().addresses, 0);
  auto plan = proxy::compile(std::make_shared<const config::Config>(config), {}, none);
  ordered_json all = ordered_json::array();
  for (const auto& listener : plan->listeners) {
    if (question.listener && listener.listener->name != *question.listener) continue;
    all.push_back(describe(listener, *plan, *asked, question));
  }
  if (all.empty())
    return std::unexpected(fmt::format("there is no listener {}", question.listener.value_or("")));
  if (json) return all.dump(2) + "\n";
  std::string text;
  for (const auto& told : all) text += as_text(told);
  return text;
}

}  // namespace lockgate::server
