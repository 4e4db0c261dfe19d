#include "proxy/reverse.h"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/admission.h"
#include "proxy/error_answer.h"
#include "proxy/file_answer.h"
#include "proxy/forward.h"
#include "proxy/front_proxy.h"
#include "proxy/page.h"
#include "proxy/request_id.h"
#include "proxy/request_log.h"
#include "proxy/request_rates.h"
#include "proxy/route_request.h"
#include "proxy/security_fields.h"
#include "proxy/sign_up.h"
#include "proxy/upward.h"
#include "proxy/variables.h"
#include "wire/forwarded.h"

namespace lockgate::proxy {

using http::FieldName;
using loop::Task;

// One request, from its head to its line in the log, which is written however it ends.
class Reverse::Visit {
 public:
  Visit(Reverse& reverse, http::Exchange& exchange)
      : reverse_(reverse),
        exchange_(exchange),
        facts_{.connection = reverse.facts_, .listener = *reverse.listener_} {
    ++reverse.requests_;
    facts_.site = reverse.site_;
    facts_.geo = &reverse.plan_->plan->guardroom->addresses.geo();
    facts_.worker = reverse.house_.worker;
    note_request(facts_, exchange.request());
    facts_.begun = reverse.house_.reactor.now();
    facts_.begun_wall = reverse.house_.reactor.wall();
    find_client();
    const config::HttpServer& options = reverse.site_->site->http;
    auto given = given_id(exchange.request(), options.request_id, facts_.through_proxy);
    facts_.id = given ? *given : made_id(reverse.facts_.id, reverse.requests_, exchange.arena());
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    facts_.bytes_up = exchange_.bytes_received();
    facts_.bytes_down = exchange_.bytes_sent();
    if (!over_ && !facts_.error) facts_.error = exchange_.why_broken_off();
    finish_request(reverse_.house_, facts_, *reverse_.plan_->plan, exchange_.arena());
  }

  Task<void> serve() {
    auto acting = act();
    auto acted = co_await loop::attempt(std::move(acting));
    over_ = true;
    reverse_.at_ = std::move(facts_.at);
    reverse_.at_parent_ = std::move(facts_.at_parent);
    if (acted) co_return;
    auto refusing = refuse(acted.error());
    co_await refusing;
  }

  // A page says why, where there is still somebody to read it.
  Task<void> refuse(const Error& why) {
    over_ = true;
    facts_.error = why;
    bool gone = why.side == Side::client && why.detail.kind != DetailKind::http_status;
    if (gone || is_silent(facts_) || exchange_.responded()) co_await loop::fail(why);
    facts_.status = status_of(why);
    exchange_.leave_body();
    auto answering =
        answer_with_error(exchange_, facts_, reverse_.plan_->regexes, reverse_.house_.reactor.wall());
    co_await answering;
  }

 private:
  // Whom the request is from: whoever is connected, or whom a trusted proxy names (RFC 7239, 8.1). A field of
  // one address that the client has doubled, or had Connection take off, would name nobody, whom nothing
  // bars.
  void find_client() {
    const config::TrustedProxies& proxies = facts_.listener.listener->trusted_proxies;
    facts_.client = facts_.connection.client;
    facts_.client_address = reverse_.client_address_;
    auto inside = [&](const Network& network) { return network.contains(facts_.client.ip()); };
    facts_.through_proxy = std::ranges::any_of(proxies.from, inside);
    if (!facts_.through_proxy) return;
    const http::Fields::List& fields = exchange_.request().fields.list();
    std::string_view proto = wire::last_of_list(fields, text_of(FieldName::x_forwarded_proto));
    std::optional<wire::NamedClient> named;
    switch (wire::field_name(proxies.field)) {
      case FieldName::x_forwarded_for:
        named = wire::client_of_list(fields, proxies.field, proxies.from);
        break;
      case FieldName::forwarded:
        named = wire::client_of_forwarded(fields, proxies.from);
        proto = named ? named->proto : std::string_view();
        break;
      default:
        named = wire::client_of_field(fields, proxies.field);
        auto is_it = [&](const wire::HeadField& field) {
          return wire::equal_in_any_case(field.name, proxies.field);
        };
        is_unclear_ = !named && (exchange_.request().lost_fields || std::ranges::any_of(fields, is_it));
    }
    if (wire::equal_in_any_case(proto, "https")) facts_.scheme = "https";
    if (wire::equal_in_any_case(proto, "http")) facts_.scheme = "http";
    if (!named) return;
    facts_.client = SocketAddress(named->ip, named->port);
    facts_.client_address = exchange_.arena().copy(named->ip.text());
  }

  Task<void> act() {
    if (is_unclear_)
      co_await loop::fail(refusal(Errc::bad_message, 400, "finding whom a trusted proxy speaks for"));
    auto welcome = look_at_bans();
    if (!welcome) co_await loop::fail(welcome.error());
    // What follows may be for a tunnel, or a body that TRACE cannot have.
    if (facts_.method == "CONNECT" || facts_.method == "TRACE") exchange_.close_afterwards();
    auto routed = route_request(facts_, *reverse_.site_, exchange_.request(), reverse_.plan_->regexes,
                                exchange_.arena());
    auto let_in = pass_access();
    if (!let_in) co_await loop::fail(let_in.error());
    const guard::RateRules* rates = rates_of(facts_);
    if (rates) {
      auto passing = pass_rates(reverse_.house_, facts_, *rates, RateStage::routed, exchange_);
      co_await passing;
    }
    if (!routed) co_await loop::fail(routed.error());
    if (facts_.route->guard) {
      auto passing = pass_guard();
      co_await passing;
    }
    if (rates && !rates->by_user.empty()) {
      auto passing = pass_rates(reverse_.house_, facts_, *rates, RateStage::signed_in, exchange_);
      co_await passing;
    }
    auto open = pass_maintenance();
    if (!open) co_await loop::fail(open.error());
    auto doing = do_as_route_says();
    co_await doing;
  }

  // A trusted proxy's connection is for others, too.
  Result<void> look_at_bans() {
    reverse_.client_ = facts_.client;
    bool banned = reverse_.plan_->plan->ban_rules.bars(facts_.client.ip(), reverse_.house_.worker,
                                                       reverse_.house_.reactor.now());
    if (!banned) return {};
    if (!facts_.through_proxy) exchange_.close_afterwards();
    return std::unexpected(refusal(Errc::banned, 403, "looking at the bans"));
  }

  // Of what no route takes, the site says who may know that.
  Result<void> pass_access() const {
    if (!facts_.site) return {};
    const guard::Access& access = facts_.route ? facts_.route->access : facts_.site->access;
    if (access.admits(facts_.client.ip(), facts_.worker) || !speaks_for_itself(facts_)) return {};
    return std::unexpected(refusal(Errc::rejected, 403, kJudging));
  }

  // Before the body is asked for, and before anything is told of what is behind.
  Task<void> pass_guard() {
    Admission admission(reverse_.house_, *reverse_.plan_->plan->guardroom, reverse_.plan_->regexes, exchange_,
                        facts_, reverse_.shown_);
    auto admitting = admission.run();
    Admittance admittance = co_await admitting;
    if (admittance != Admittance::granted) co_await loop::fail(turned_away(admittance, facts_));
  }

  // Who comes during maintenance is told when to come back.
  Result<void> pass_maintenance() {
    const Maintenance& maintenance = facts_.route->maintenance;
    if (!maintenance.holds_for(facts_.client, reverse_.house_.reactor.now())) return {};
    facts_.page = maintenance.page();
    auto seconds = std::chrono::ceil<std::chrono::seconds>(maintenance.retry_after()).count();
    if (seconds > 0)
      facts_.owed.push_back(
          {"Retry-After", exchange_.arena().copy(fmt::format_int(seconds).str()), FieldName::other});
    return std::unexpected(refusal(Errc::rejected, 503, "looking at `maintenance`"));
  }

  Task<void> do_as_route_says() {
    switch (facts_.route->route->action) {
      case config::RouteAction::forward: {
        if (!may_go_further(exchange_.request(), exchange_.arena())) {
          auto answering = answer_in_place();
          co_await answering;
          co_return;
        }
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
      case config::RouteAction::files: {
        FileAnswer file(reverse_.house_, reverse_.plan_->regexes, exchange_, facts_);
        auto answering = file.run();
        co_await answering;
        co_return;
      }
      case config::RouteAction::sign_up: {
        SignUp sign_up(reverse_.house_, *reverse_.plan_, exchange_, facts_);
        auto answering = sign_up.run();
        co_await answering;
        co_return;
      }
    }
  }

  Task<void> redirect() {
    auto to = redirection(facts_, exchange_.arena());
    if (!to) co_await loop::fail(to.error());
    http::Response& answer = exchange_.memory().response;
    answer.clear();
    answer.status = to->status;
    answer.fields.add(FieldName::location, to->location);
    auto answering = finish_answer(answer, "");
    co_await answering;
  }

  // Whoever asks what is possible up to here.
  Task<void> answer_in_place() {
    http::Response& answer = exchange_.memory().response;
    answer.clear();
    answer.status = 200;
    auto answering = finish_answer(answer, "");
    co_await answering;
  }

  Task<void> answer_as_written() {
    const config::Route& route = *facts_.route->route;
    http::Response& answer = exchange_.memory().response;
    answer.clear();
    answer.status = static_cast<int>(route.status);
    facts_.status = answer.status;
    if (route.body.empty() && error_page(facts_)) {
      facts_.answered = reverse_.house_.reactor.now();
      exchange_.leave_body();
      auto answering =
          answer_with_error(exchange_, facts_, reverse_.plan_->regexes, reverse_.house_.reactor.wall());
      co_await answering;
      co_return;
    }
    std::string_view text = filled_in(route.body, facts_, exchange_.arena());
    if (!text.empty()) answer.fields.add(FieldName::content_type, route.content_type);
    auto answering = finish_answer(answer, text);
    co_await answering;
  }

  Task<void> finish_answer(http::Response& answer, std::string_view text) {
    const config::Route& route = *facts_.route->route;
    facts_.status = answer.status;
    facts_.answered = reverse_.house_.reactor.now();
    add_security_fields(answer, route.security_fields, facts_.scheme == "https");
    edit_fields(answer.fields, route.response_fields, facts_, facts_.route->response_edits,
                reverse_.plan_->regexes, exchange_.arena());
    exchange_.leave_body();
    auto answering = answer_with_text(exchange_, answer, text, reverse_.house_.reactor.wall());
    co_await answering;
  }

  Reverse& reverse_;
  http::Exchange& exchange_;
  RequestFacts facts_;
  bool is_unclear_ = false;  // whom it is from
  bool over_ = false;
};

// The connection belongs to whichever site would take it now. False if there is none, or it agrees on other
// terms with its clients: then this is the last request, under the plan that the connection has begun with.
bool Reverse::take_newest_plan() {
  if (newest_ == plan_) return true;
  const ListenerPlan* listener = newest_->plan->listener(listener_->listener->name);
  if (!listener) return false;
  const SitePlan* site = site_within_reach(*listener, *site_, facts_, facts_.name);
  if (!site) return false;
  plan_ = newest_;
  listener_ = listener;
  site_ = site;
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

}  // namespace lockgate::proxy
