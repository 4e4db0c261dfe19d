#include "proxy/reverse.h"

#include <algorithm>
#include <charconv>

#include "proxy/forward.h"
#include "proxy/page.h"
#include "proxy/request_log.h"
#include "proxy/router.h"
#include "proxy/upward.h"
#include "proxy/variables.h"
#include "wire/forwarded.h"
#include "wire/http_target.h"

namespace lockgate::proxy {

using http::FieldName;
using loop::Task;

namespace {

constexpr const char* kRouting = "choosing the route";

Error by_rule(Errc code, int status, const char* doing) {
  return {.code = code,
          .side = Side::client,
          .detail = {DetailKind::http_status, static_cast<std::int16_t>(status)},
          .doing = doing};
}

// Whoever has agreed on TLS for one site must not reach another that would have asked for more: for another
// certificate of the client, or for another version (RFC 9110, 15.5.20).
bool same_terms(const config::TlsServer& a, const config::TlsServer& b) {
  const config::ClientCertificate &ours = a.client_certificate, &theirs = b.client_certificate;
  return ours.ask == theirs.ask && ours.ca_file == theirs.ca_file && ours.crl_file == theirs.crl_file &&
         ours.depth == theirs.depth && a.profile == b.profile && a.min_version == b.min_version &&
         a.max_version == b.max_version && a.ciphers == b.ciphers && a.cipher_suites == b.cipher_suites;
}

wire::PathPolicy policy_of(const config::Paths& paths) {
  auto policy = [](config::PathPolicy one) { return static_cast<wire::OddPath>(one); };
  return {.encoded_slashes = policy(paths.encoded_slashes),
          .dot_segments = policy(paths.dot_segments),
          .empty_segments = policy(paths.empty_segments)};
}

// The connection's number and that of the request, in hexadecimal.
std::string_view made_id(std::uint64_t connection, std::uint64_t request, Arena& arena) {
  constexpr std::size_t kLongest = 16 + 1 + 16;
  auto room = arena.take(kLongest);
  char* end = std::to_chars(room.data(), room.data() + room.size(), connection, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, room.data() + room.size(), request, 16).ptr;
  return {room.data(), end};
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

}  // namespace

// One request, from its head to its line in the log, which is written however it ends.
class Reverse::Visit {
 public:
  Visit(Reverse& reverse, http::Exchange& exchange)
      : reverse_(reverse),
        exchange_(exchange),
        facts_{.connection = reverse.facts_, .listener = *reverse.listener_} {
    ++reverse.requests_;
    const http::Request& request = exchange.request();
    facts_.site = reverse.site_;
    facts_.method = request.method;
    facts_.scheme = request.scheme;
    facts_.authority = request.authority;
    facts_.host = request.host;
    facts_.target = request.target;
    facts_.minor_version = request.minor_version;
    facts_.referer = request.fields.value(FieldName::referer);
    facts_.user_agent = request.fields.value(FieldName::user_agent);
    facts_.begun = reverse.house_.reactor.now();
    facts_.begun_wall = reverse.house_.reactor.wall();
    facts_.id = made_id(reverse.facts_.id, reverse.requests_, exchange.arena());
    find_client();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    facts_.bytes_up = exchange_.bytes_received();
    facts_.bytes_down = exchange_.bytes_sent();
    if (!over_ && !facts_.error)  // the story was broken off, for the client has left
      facts_.error = Error{.code = Errc::closed, .side = Side::client, .doing = "waiting for the answer"};
    finish_request(reverse_.house_, facts_, *reverse_.plan_->plan);
  }

  Task<void> serve() {
    auto acting = act();
    auto acted = co_await loop::attempt(std::move(acting));
    over_ = true;
    if (acted) co_return;
    auto refusing = refuse(acted.error());
    co_await refusing;
  }

  // A page says why, where there is still somebody to read it.
  Task<void> refuse(const Error& why) {
    over_ = true;
    facts_.error = why;
    bool gone = why.side == Side::client && why.detail.kind != DetailKind::http_status;
    if (gone || exchange_.responded()) co_await loop::fail(why);
    facts_.status = status_of(why);
    exchange_.leave_body();
    auto answering =
        answer_with_page(exchange_, facts_.status, "", facts_.id, reverse_.house_.reactor.wall());
    co_await answering;
  }

 private:
  // Whom the request is from: whoever is connected, or whom a trusted proxy names (RFC 7239, 8.1).
  void find_client() {
    const config::TrustedProxies& proxies = facts_.listener.listener->trusted_proxies;
    facts_.client = facts_.connection.client;
    facts_.client_address = reverse_.client_address_;
    auto inside = [&](const Network& network) { return network.contains(facts_.client.ip()); };
    facts_.through_proxy = std::ranges::any_of(proxies.from, inside);
    if (!facts_.through_proxy) return;
    const http::Fields::List& fields = exchange_.request().fields.list();
    std::string_view proto = exchange_.request().fields.value(FieldName::x_forwarded_proto);
    std::optional<wire::NamedClient> named;
    switch (wire::field_name(proxies.field)) {
      case FieldName::x_forwarded_for:
        named = wire::client_of_list(fields, proxies.field, proxies.from);
        break;
      case FieldName::forwarded:
        named = wire::client_of_forwarded(fields, proxies.from);
        if (named) proto = named->proto;
        break;
      default:
        named = wire::client_of_field(fields, proxies.field);
    }
    if (wire::equal_in_any_case(proto, "https")) facts_.scheme = "https";
    if (wire::equal_in_any_case(proto, "http")) facts_.scheme = "http";
    if (!named) return;
    facts_.client = SocketAddress(named->ip, named->port);
    facts_.client_address = exchange_.arena().copy(named->ip.text());
  }

  Task<void> act() {
    choose_site();
    if (!facts_.site) co_await loop::fail(by_rule(Errc::no_site, 421, "choosing the site"));
    if (facts_.method == "CONNECT") {
      exchange_.close_afterwards();  // what follows may be for a tunnel
      co_await loop::fail(by_rule(Errc::rejected, 405, "looking at the method"));
    }
    auto target = wire::read_target(facts_.target, policy_of(facts_.site->site->paths), path_room_);
    if (!target) co_await loop::fail(target.error().on(Side::client));
    facts_.path = exchange_.arena().copy(target->path);
    facts_.query = target->query;
    if (!choose_route()) co_await loop::fail(by_rule(Errc::rejected, 404, kRouting));
    if (has_been_here(exchange_.request())) co_await loop::fail(by_rule(Errc::loops, 508, "looking at Via"));
    auto doing = do_as_route_says();
    co_await doing;
  }

  void choose_site() {
    if (!facts_.host.empty()) facts_.site = reverse_.site_for(facts_.host);
  }

  bool choose_route() {
    RouteQuestion question{.path = facts_.path,
                           .query = facts_.query,
                           .request = exchange_.request(),
                           .regexes = reverse_.plan_->regexes};
    facts_.route = facts_.site->routes.find(question);
    if (facts_.route && facts_.route->regex != RoutePlan::kNoRegex)
      reverse_.plan_->regexes[facts_.route->regex].match(facts_.path, facts_.captures);
    return facts_.route != nullptr;
  }

  Task<void> do_as_route_says() {
    switch (facts_.route->route->action) {
      case config::RouteAction::forward: {
        prepare_request(exchange_.request(), facts_, reverse_.plan_->regexes, exchange_.arena());
        Forward forward(reverse_.house_, *reverse_.plan_, exchange_, facts_);
        auto forwarding = forward.run();
        co_await forwarding;
        co_return;
      }
      case config::RouteAction::redirect: {
        auto redirecting = redirect();
        co_await redirecting;
        co_return;
      }
      case config::RouteAction::status: {
        auto answering = answer_as_written();
        co_await answering;
        co_return;
      }
    }
  }

  // GET is what every client repeats at the new place; of other methods the body must not be lost.
  int redirect_status(bool permanent) const {
    if (facts_.route->route->status != 0) return static_cast<int>(facts_.route->route->status);
    bool safe = facts_.method == "GET" || facts_.method == "HEAD";
    if (permanent) return safe ? 301 : 308;
    return safe ? 302 : 307;
  }

  Task<void> redirect() {
    const config::Template& to = facts_.route->route->redirect;
    bool to_https = to.written == "https";
    Arena& arena = exchange_.arena();
    std::string_view bracket = facts_.host.contains(':') ? "[" : "";
    std::string_view place =
        to_https ? arena.join("https://", bracket, facts_.host, bracket.empty() ? "" : "]", facts_.target)
                 : filled_in(to, facts_, arena);
    // What a capture has brought must not become another host.
    bool elsewhere = place.size() > 1 && place[0] == '/' && (place[1] == '/' || place[1] == '\\');
    if (elsewhere) place = arena.join(facts_.scheme, "://", facts_.authority, place);
    if (to_https && facts_.host.empty()) co_await loop::fail(by_rule(Errc::bad_message, 400, "redirecting"));
    http::Response& answer = exchange_.memory().response;
    answer.clear();
    answer.status = redirect_status(to_https || !place.starts_with('/'));
    answer.fields.add(FieldName::location, place);
    auto answering = finish_answer(answer, "");
    co_await answering;
  }

  Task<void> answer_as_written() {
    const config::Route& route = *facts_.route->route;
    http::Response& answer = exchange_.memory().response;
    answer.clear();
    answer.status = static_cast<int>(route.status);
    std::string_view text = filled_in(route.body, facts_, exchange_.arena());
    if (!text.empty()) answer.fields.add(FieldName::content_type, route.content_type);
    auto answering = finish_answer(answer, text);
    co_await answering;
  }

  Task<void> finish_answer(http::Response& answer, std::string_view text) {
    const config::Route& route = *facts_.route->route;
    facts_.status = answer.status;
    facts_.answered = reverse_.house_.reactor.now();
    std::size_t first = route.request_fields.edit.size();
    edit_fields(answer.fields, route.response_fields, facts_, std::span(facts_.route->edits).subspan(first),
                reverse_.plan_->regexes, exchange_.arena());
    exchange_.leave_body();
    auto answering = answer_with_text(exchange_, answer, text, reverse_.house_.reactor.wall());
    co_await answering;
  }

  Reverse& reverse_;
  http::Exchange& exchange_;
  RequestFacts facts_;
  std::string path_room_;
  bool over_ = false;
};

// False if the site has gone, or agrees on other terms with its clients now: then this is the connection's
// last request, under the plan that it has begun with.
bool Reverse::take_newest_plan() {
  if (newest_ == plan_) return true;
  const ListenerPlan* listener = newest_->plan->listener(listener_->listener->name);
  if (!listener) return false;
  auto same = [&](const SitePlan& site) { return site.site->name == site_->site->name; };
  auto found = std::ranges::find_if(listener->sites, same);
  if (found == listener->sites.end() || !found->site->is_http()) return false;
  const config::Site& site = *found->site;
  if (site.verdict != site_->site->verdict || !same_terms(site.tls, site_->site->tls)) return false;
  plan_ = newest_;
  last_site_ = nullptr;
  listener_ = listener;
  site_ = &*found;
  return true;
}

Task<void> Reverse::serve(http::Exchange& exchange) {
  if (!take_newest_plan()) exchange.close_afterwards();
  Visit visit(*this, exchange);
  auto serving = visit.serve();
  co_await serving;
}

Task<void> Reverse::refuse(http::Exchange& exchange, const Error& why) {
  Visit visit(*this, exchange);
  auto refusing = visit.refuse(why);
  co_await refusing;
}

// The site that a host belongs to; null for one that this connection must not reach. Most connections ask for
// one host only.
const SitePlan* Reverse::site_for(std::string_view host) {
  if (host == facts_.name) return site_;
  if (!last_site_ || host != last_host_) {
    last_site_ = find_site(host);
    last_host_ = host;
  }
  return last_site_;
}

const SitePlan* Reverse::find_site(std::string_view host) const {
  bool tls = facts_.client_leg != nullptr;
  auto protocols = offered(facts_);
  Question question{.tls = tls,
                    .name = host,
                    .alpn = protocols,
                    .client = facts_.client.ip(),
                    .ja3 = [&] { return facts_.ja3 ? facts_.ja3->text() : std::string_view(); },
                    .ja4 = [&] { return facts_.ja4 ? facts_.ja4->text() : std::string_view(); }};
  const SitePlan* site = route(*listener_, question).site;
  if (!site || site == site_) return site;
  if (!site->site->is_http() || site->site->verdict != site_->site->verdict) return nullptr;
  return !tls || same_terms(site_->site->tls, site->site->tls) ? site : nullptr;
}

}  // namespace lockgate::proxy
