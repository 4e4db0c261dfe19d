#include "proxy/route_request.h"

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/page.h"
#include "proxy/router.h"
#include "proxy/upward.h"
#include "proxy/variables.h"
#include "wire/http_target.h"

namespace lockgate::proxy {

using http::FieldName;

namespace {

wire::PathPolicy policy_of(const config::Paths& paths) {
  auto policy = [](config::PathPolicy one) { return static_cast<wire::OddPath>(one); };
  return {.encoded_slashes = policy(paths.encoded_slashes),
          .dot_segments = policy(paths.dot_segments),
          .empty_segments = policy(paths.empty_segments)};
}

std::vector<std::string> offered(const Facts& facts) {
  std::vector<std::string> protocols;
  for (std::string_view left = facts.alpn; !left.empty();) {
    std::string_view one = left.substr(0, left.find(','));
    protocols.emplace_back(one);
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return protocols;
}

// Whoever has agreed on TLS for one site must not reach another that would have asked for more: for another
// certificate of the client, or for another version (RFC 9110, 15.5.20).
bool same_terms(const config::TlsServer& a, const config::TlsServer& b) {
  const config::ClientCertificate &ours = a.client_certificate, &theirs = b.client_certificate;
  return ours.ask == theirs.ask && ours.ca_file == theirs.ca_file && ours.crl_file == theirs.crl_file &&
         ours.depth == theirs.depth && a.profile == b.profile && a.min_version == b.min_version &&
         a.max_version == b.max_version && a.ciphers == b.ciphers && a.cipher_suites == b.cipher_suites;
}

// The site that a host belongs to; null for one that this connection must not reach.
const SitePlan* site_for(const ListenerPlan& listener, const SitePlan& taken, const Facts& facts,
                         std::string_view host) {
  return host == facts.name ? &taken : site_within_reach(listener, taken, facts, host);
}

// Segments as servlet containers take them, which cut off what stands behind a semicolon (RFC 3986, 3.3), and
// then have slashes behind slashes be one.
std::string_view without_parameters(std::string_view path, Arena& arena) {
  std::span<char> room = arena.take(path.size());
  std::size_t size = 0;
  bool skips = false;
  for (char c : path) {
    skips = c == ';' || (skips && c != '/');
    bool repeats = c == '/' && size > 0 && room[size - 1] == '/';
    if (!skips && !repeats) room[size++] = c;
  }
  return {room.data(), size};
}

// What both have inherited is written in one place.
bool is_guarded_alike(const config::Route& a, const config::Route& b) {
  const config::Place &ours = a.require.place, &theirs = b.require.place;
  bool same_require = ours.file == theirs.file && ours.line == theirs.line && ours.column == theirs.column;
  return same_require && a.access == b.access && a.sign_in.users.index == b.sign_in.users.index;
}

bool asks_who_comes(const RoutePlan& plan) {
  bool anybody = plan.route->require.admits == config::Requirement::Admits::anybody;
  return (plan.guard && !anybody) || !plan.route->access.empty();
}

// Whether parameters, or slashes behind slashes that stay raw, keep a path from a route that asks who comes,
// but not from what is behind it.
bool slips_past(const RouteTable& routes, RouteQuestion question, const RoutePlan& found, Arena& arena) {
  if (!question.path.contains(';') && !question.path.contains("//")) return false;
  question.path = without_parameters(question.path, arena);
  const RoutePlan* meant = routes.find(question);
  if (!meant || meant == &found) return false;
  return asks_who_comes(*meant) && !is_guarded_alike(*meant->route, *found.route);
}

Result<void> choose(RequestFacts& facts, const SitePlan& taken, const http::Request& request,
                    std::span<const Regex> regexes, Arena& arena) {
  facts.site = facts.host.empty() ? &taken : site_for(facts.listener, taken, facts.connection, facts.host);
  if (!facts.site) return std::unexpected(refusal(Errc::no_site, 421, "choosing the site"));
  // TRACE would show to scripts what they must not see; it is answered by nobody any more.
  if (facts.method == "CONNECT" || facts.method == "TRACE")
    return std::unexpected(refusal(Errc::rejected, 405, "looking at the method"));
  std::string room;
  auto target = wire::read_target(facts.target, policy_of(facts.site->site->paths), room);
  if (!target) return std::unexpected(target.error());
  facts.path = arena.copy(target->path);
  facts.query = target->query;
  RouteQuestion question{.path = facts.path, .query = facts.query, .request = request, .regexes = regexes};
  facts.route = facts.site->routes.find(question);
  if (!facts.route) return std::unexpected(refusal(Errc::rejected, 404, "choosing the route"));
  if (slips_past(facts.site->routes, question, *facts.route, arena))
    return std::unexpected(refusal(Errc::bad_message, 400, "reading a path that leads past `require`"));
  if (facts.route->regex != RoutePlan::kNoRegex)
    regexes[facts.route->regex].match(facts.path, facts.captures);
  if (has_been_here(request)) return std::unexpected(refusal(Errc::loops, 508, "looking at Via"));
  return {};
}

// GET is what every client repeats at the new place; of other methods the body must not be lost.
int redirect_status(const RequestFacts& facts, bool permanent) {
  if (facts.route->route->status != 0) return static_cast<int>(facts.route->route->status);
  bool safe = facts.method == "GET" || facts.method == "HEAD";
  if (permanent) return safe ? 301 : 308;
  return safe ? 302 : 307;
}

}  // namespace

const SitePlan* site_within_reach(const ListenerPlan& listener, const SitePlan& taken, const Facts& facts,
                                  std::string_view name) {
  bool tls = facts.client_leg != nullptr;
  auto protocols = offered(facts);
  Question question{.tls = tls,
                    .name = name,
                    .alpn = protocols,
                    .client = facts.client.ip(),
                    .ja3 = [&] { return facts.ja3 ? facts.ja3->text() : std::string_view(); },
                    .ja4 = [&] { return facts.ja4 ? facts.ja4->text() : std::string_view(); }};
  const SitePlan* site = route(listener, question).site;
  if (!site || site == &taken) return site;
  if (!site->site->is_http() || site->site->verdict != taken.site->verdict) return nullptr;
  return !tls || same_terms(taken.site->tls, site->site->tls) ? site : nullptr;
}

void note_request(RequestFacts& facts, const http::Request& request) {
  facts.method = request.method;
  facts.scheme = request.scheme;
  facts.authority = request.authority;
  facts.host = request.host;
  facts.target = request.target;
  facts.minor_version = request.minor_version;
  facts.referer = request.fields.value(FieldName::referer);
  facts.user_agent = request.fields.value(FieldName::user_agent);
}

Result<void> route_request(RequestFacts& facts, const SitePlan& taken, const http::Request& request,
                           std::span<const Regex> regexes, Arena& arena) {
  auto chosen = choose(facts, taken, request, regexes, arena);
  if (!chosen) return std::unexpected(chosen.error().on(Side::client));
  return {};
}

Result<Redirection> redirection(const RequestFacts& facts, Arena& arena) {
  const config::Template& to = facts.route->route->redirect;
  bool to_https = to.written == "https";
  if (to_https && facts.host.empty()) return std::unexpected(refusal(Errc::bad_message, 400, "redirecting"));
  std::string_view bracket = facts.host.contains(':') ? "[" : "";
  std::string_view place =
      to_https ? arena.join("https://", bracket, facts.host, bracket.empty() ? "" : "]", facts.target)
               : filled_in(to, facts, arena);
  // What a capture has brought must not become another host.
  bool elsewhere = place.size() > 1 && place[0] == '/' && (place[1] == '/' || place[1] == '\\');
  if (elsewhere) place = arena.join(facts.scheme, "://", facts.authority, place);
  return Redirection{redirect_status(facts, to_https || !place.starts_with('/')), place};
}

}  // namespace lockgate::proxy
