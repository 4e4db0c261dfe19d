#include "server/explain_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/check.h"
#include "http/head1.h"
#include "proxy/admission.h"
#include "proxy/file_answer.h"
#include "proxy/page.h"
#include "proxy/route_request.h"
#include "proxy/upward.h"
#include "proxy/variables.h"
#include "server/explain_access.h"

namespace lockgate::server {
namespace {

using nlohmann::ordered_json;
using proxy::RequestFacts;

std::string head_of(const AskedRequest& asked) {
  auto is_host = [](std::string_view field) {
    return wire::equal_in_any_case(field.substr(0, field.find(':')), "Host");
  };
  std::string head = fmt::format("{} {} HTTP/1.1\r\n", asked.method, asked.target);
  if (std::ranges::none_of(asked.fields, is_host)) head += fmt::format("Host: {}\r\n", asked.authority);
  for (const std::string& field : asked.fields) head += fmt::format("{}\r\n", field);
  return head + "\r\n";
}

Result<void> read_head(const std::string& text, const config::HttpServer& options, http::Request& request,
                       Arena& arena) {
  wire::RequestHead head;
  auto read = wire::read_request_head(as_bytes(text), http::limits_of(options), head);
  if (!read) return failure(Errc::bad_message, "reading the request", {DetailKind::http_status, 400});
  if (!*read) return *read;
  auto framing = http::take_request(head, request, arena);
  if (!framing) return std::unexpected(framing.error());
  return {};
}

void tell_refusal(ordered_json& told, const Error& why) {
  Error of_client = why.on(Side::client);
  told["action"] = "refuse";
  told["status"] = proxy::status_of(of_client);
  told["reason"] = words(of_client);
}

/// What a route asks of the requests that it takes.
std::string conditions_of(const config::RouteMatch& match) {
  using Path = config::RouteMatch::Path;
  std::vector<std::string> all;
  if (match.kind == Path::any) all.emplace_back("any path");
  if (match.kind == Path::prefix) all.push_back("path " + match.path);
  if (match.kind == Path::exact) all.push_back("path_exact " + match.path);
  if (match.kind == Path::regex) all.push_back("path_regex " + match.path);
  if (!match.methods.empty()) all.push_back(fmt::format("methods {}", fmt::join(match.methods, " ")));
  for (const auto& field : match.fields) all.push_back(fmt::format("field {}: {}", field.name, field.value));
  for (const auto& one : match.query) all.push_back(fmt::format("query {}={}", one.name, one.value));
  return fmt::format("{}", fmt::join(all, ", "));
}

void tell_forwarding(ordered_json& told, const proxy::Plan& plan, const RequestFacts& facts,
                     http::Request& request, std::span<const Regex> regexes, Arena& arena) {
  const config::Upstream& upstream = plan.upstreams[facts.route->route->upstream]->config;
  proxy::prepare_request(request, facts, regexes, arena);
  told["action"] = "forward";
  told["upstream"] = upstream.name;
  ordered_json endpoints = ordered_json::array(), hosts = ordered_json::array();
  for (const config::Endpoint& endpoint : upstream.endpoints) {
    proxy::Target target{
        .endpoint = std::make_shared<proxy::Endpoint>(endpoint.url), .addresses = {}, .tls = endpoint.tls};
    proxy::address_request(request, facts, target, arena);
    endpoints.push_back(endpoint.url);
    hosts.push_back(std::string(request.authority));
  }
  bool same = std::ranges::all_of(hosts, [&](const ordered_json& host) { return host == hosts.front(); });
  told["endpoints"] = std::move(endpoints);
  told["target"] = std::string(request.target);
  told["host"] = same ? hosts.front() : hosts;  // one for each endpoint, if they differ
}

void tell_files(ordered_json& told, const RequestFacts& facts, Arena& arena) {
  const config::Files& files = facts.route->route->files;
  std::string room;
  auto name = proxy::file_asked_for(facts, arena, room);
  if (!name) return tell_refusal(told, name.error());
  told["action"] = "files";
  told["folder"] = files.folder;
  told["file"] = "/" + std::string(*name);
  if (!files.fallback.empty()) told["fallback"] = files.fallback;
}

/// Whether the request is put off; then nothing else becomes of it.
bool tell_maintenance(ordered_json& told, const RequestFacts& facts) {
  const config::Maintenance& config = facts.route->route->maintenance;
  if (config.when.empty()) return false;
  auto sign = std::make_shared<const proxy::Sign>(config.when);
  bool up = sign->is_up({}), always = config.when == config::Maintenance::kAlways;
  bool holds = proxy::Maintenance(config, sign, nullptr).holds_for(facts.client, {});
  told["maintenance"] = fmt::format("{}{}", always ? "always" : "while there is " + config.when,
                                    up && !holds   ? ", but not for this client"
                                    : always || up ? ""
                                                   : ", which there is not");
  if (!holds) return false;
  told["action"] = "refuse";
  told["status"] = 503;
  if (!config.page.empty()) told["page"] = config.page;
  return true;
}

/// Whether nobody could enter, whoever signs in; then nothing else becomes of the request.
bool tell_guard(ordered_json& told, const RequestFacts& facts, const http::Request& request,
                std::span<const Regex> regexes) {
  if (!facts.route->guard) return false;
  const proxy::GuardPlan& guard = *facts.route->guard;
  Ip ip;
  std::optional<guard::ShownCertificate> none;
  guard::Situation situation = proxy::situation_of(facts, request, regexes, ip, none);
  situation.now = SystemClock().wall();
  switch (guard.requirement.find(situation)) {
    case guard::Finding::granted:
      told["require"] = "lets it in without a user";
      return false;
    case guard::Finding::undecided:
      told["require"] = proxy::is_exempt(*guard.sign_in, facts.path, request)
                            ? "lets it in: it is exempt from signing in"
                            : fmt::format("asks who it is: 401, \"{}\"", guard.sign_in->realm);
      return false;
    case guard::Finding::denied:
      break;
  }
  told["require"] = "refuses it, whoever it is";
  told["action"] = "refuse";
  told["status"] = 403;
  return true;
}

void tell_action(ordered_json& told, const proxy::Plan& plan, const RequestFacts& facts,
                 http::Request& request, std::span<const Regex> regexes, Arena& arena) {
  const config::Route& route = *facts.route->route;
  switch (route.action) {
    case config::RouteAction::forward:
      return tell_forwarding(told, plan, facts, request, regexes, arena);
    case config::RouteAction::redirect: {
      auto to = proxy::redirection(facts, arena);
      if (!to) return tell_refusal(told, to.error());
      told["action"] = "redirect";
      told["status"] = to->status;
      told["location"] = std::string(to->location);
      return;
    }
    case config::RouteAction::status:
      told["action"] = "answer";
      told["status"] = route.status;
      told["body"] = std::string(proxy::filled_in(route.body, facts, arena));
      return;
    case config::RouteAction::files:
      return tell_files(told, facts, arena);
    case config::RouteAction::sign_up:
      told["action"] = "sign_up";
      told["users"] = plan.config->users.at(route.sign_up.index).name;
      return;
  }
}

/// What would be known of the connection.
proxy::Facts facts_of(const proxy::Question& connection) {
  proxy::Facts facts;
  facts.dialect = connection.tls ? proxy::Dialect::tls : proxy::Dialect::http;
  facts.peer = facts.client = SocketAddress(connection.client, 0);
  facts.name = connection.name;
  facts.alpn = fmt::format("{}", fmt::join(connection.alpn, ","));
  auto note = [](auto& fingerprint, std::string_view text) {
    if (text.size() != fingerprint.emplace().text().size()) return fingerprint.reset();
    std::ranges::copy(text, fingerprint->characters.begin());
  };
  note(facts.ja3, connection.ja3());
  note(facts.ja4, connection.ja4());
  if (connection.tls) facts.client_leg = std::make_unique<proxy::Leg>();
  return facts;
}

std::vector<Regex> compiled(const std::vector<std::string>& patterns) {
  std::vector<Regex> regexes;
  for (const std::string& pattern : patterns) {
    auto regex = Regex::compile(pattern);
    CHECK(regex);  // the configuration was refused otherwise
    regexes.push_back(std::move(*regex));
  }
  return regexes;
}

}  // namespace

void explain_request(ordered_json& told, const proxy::Plan& plan, const proxy::ListenerPlan& listener,
                     const proxy::SitePlan& taken, const proxy::Question& connection,
                     const AskedRequest& asked) {
  Arena arena;
  http::Request request;
  request.scheme = connection.tls ? "https" : "http";
  std::string head = head_of(asked);
  auto read = read_head(head, taken.site->http, request, arena);
  if (!read) return tell_refusal(told, read.error());
  proxy::Facts facts = facts_of(connection);
  RequestFacts of_request{.connection = facts, .listener = listener};
  proxy::note_request(of_request, request);
  auto regexes = compiled(plan.patterns);
  auto routed = proxy::route_request(of_request, taken, request, regexes, arena);
  if (of_request.site && of_request.site != &taken) told["request_site"] = of_request.site->site->name;
  if (!of_request.path.empty()) told["path"] = std::string(of_request.path);
  if (const proxy::RoutePlan* route = of_request.route) {
    told["route"] = route->route->name;
    told["route_takes"] = conditions_of(route->route->match);
    if (const auto& place = route->route->place; place.line > 0)
      told["route_place"] = fmt::format("{}:{}", place.file, place.line);
  }
  if (tell_refused_request(told, of_request)) return;
  if (!routed) return tell_refusal(told, routed.error());
  if (tell_guard(told, of_request, request, regexes)) return;
  if (tell_maintenance(told, of_request)) return;
  tell_action(told, plan, of_request, request, regexes, arena);
}

}  // namespace lockgate::server
