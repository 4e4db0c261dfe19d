#include "proxy/dial.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/tunnel.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kDoing = "connecting to the upstream";
constexpr const char* kHandshaking = "shaking hands with the upstream";

// The balancing key of this connection.
std::string hash_key(const Upstream& upstream, const Facts& facts) {
  if (upstream.config.balance != config::Balance::consistent_hash) return "";
  return upstream.config.hash == config::HashKey::name ? facts.name : facts.client.ip().text();
}

// Whether a parent's refusal says that the endpoint could not be reached, or else something of the parent
// itself.
bool tells_of_endpoint(const Error& refusal) {
  bool answered = refusal.detail.kind == DetailKind::http_status || refusal.detail.kind == DetailKind::socks;
  return answered && refusal.code != Errc::refused;
}

// The targets, once the resolver has answered for the first time.
Task<std::shared_ptr<const Targets>> known_targets(House& house, UpstreamView& upstream, Instant deadline) {
  while (!upstream.targets) {
    loop::Wait wait(house.reactor, upstream.news, deadline);
    bool told = co_await wait;
    if (!told) co_await loop::fail(Error{.code = Errc::unresolved, .side = Side::upstream, .doing = kDoing});
  }
  co_return upstream.targets;
}

Task<net::Connected> connect_to(House& house, const OwnAddresses& own, const Target& target,
                                const config::Upstream& config, Instant deadline) {
  auto ours = [&](const SocketAddress& address) { return own.contains(address); };
  if (std::ranges::any_of(target.addresses, ours)) co_await loop::fail(Errc::loops, kDoing);
  auto connecting = house.connector.connect(target.addresses, socket_options(config.tcp), deadline);
  auto connected = co_await loop::attempt(std::move(connecting));
  if (connected) co_return std::move(*connected);
  Error error = connected.error();
  error.doing = kDoing;
  co_await loop::fail(error);
  std::unreachable();
}

Task<std::unique_ptr<tls::TlsStream>> secure(House& house, UpstreamView& upstream, const Target& target,
                                             Dialled& dialled, Errand errand, Facts& facts,
                                             Instant deadline) {
  facts.stage = Stage::handshake;
  auto start = upstream.client_side->call({.endpoint = target.endpoint->label(),
                                           .host = target.host,
                                           .client_name = facts.name,
                                           .client_alpn = errand.alpn,
                                           .on_trial = errand.on_trial});
  start.seen = dialled.early;
  start.ahead = errand.header;
  auto side = upstream.client_side;  // a reload may bring another one meanwhile
  tls::Scratch& records = errand.to_parent ? house.parent_records : house.records;
  auto tls = std::make_unique<tls::TlsStream>(std::move(dialled.stream), std::move(start), records);
  auto shaking = tls->handshake(deadline);
  auto shaken = co_await loop::attempt(std::move(shaking));
  if (shaken && !side->is_pinned(*tls)) shaken = failure(Errc::untrusted, kHandshaking);
  facts.upstream_leg = leg_of(*tls, shaken.has_value());
  if (shaken) co_return tls;
  if (tls->untrusted().empty() && shaken.error().code == Errc::untrusted) {
    facts.upstream_leg->untrusted = "its key is none of `pins`";
  }
  Error error = shaken.error();
  error.doing = kHandshaking;
  co_await loop::fail(error);
  std::unreachable();
}

// Nobody shall put endpoints aside by asking for a name that they do not have.
bool is_wish_of_client(const UpstreamView& upstream, const Target& target, const Error& error) {
  if (!target.tls || !upstream.client_side) return false;
  tls::Call call{
      .endpoint = target.endpoint->label(), .host = target.host, .client_name = {}, .client_alpn = {}};
  return upstream.client_side->is_wish_of_client(call, error);
}

// How a parent is asked: its URL says so.
ParentKind kind_of(const Endpoint& parent) {
  return parent.label().starts_with("socks5:") ? ParentKind::socks5 : ParentKind::http;
}

// A stream to `target` that its parent has opened for us. Parents share the load and stand in for each other.
// The parent is taken by value: a reload may put another one into the view meanwhile.
Task<Dialled> reach_through_parent(House& house, const OwnAddresses& own, ParentView parent,
                                   const Target& target, Facts& facts, Instant deadline) {
  std::uint16_t attempts = facts.attempts;
  auto dialling = dial(house, own, *parent.upstream, facts, {.to_parent = true}, deadline);
  auto dialled = co_await loop::attempt(std::move(dialling));
  facts.attempts = attempts;
  if (!dialled) co_await loop::fail(dialled.error().on(Side::parent));
  dialled->at_parent = std::move(dialled->at);
  facts.parent = dialled->at_parent.endpoint()->label();
  static const wire::Credentials kNone;
  const wire::Credentials& credentials = parent.credentials ? *parent.credentials : kNone;
  TunnelRequest request{.kind = kind_of(*dialled->at_parent.endpoint()),
                        .host = target.far_host,
                        .port = target.far_port,
                        .user = credentials.user,
                        .password = credentials.password};
  facts.stage = Stage::connecting;
  auto opening = open_tunnel(*dialled->stream, house.buffers, request, deadline, facts.parent_said);
  TunnelAnswer answer = co_await opening;
  dialled->early = std::move(answer.early);
  dialled->tls = nullptr;  // that is the parent's, and no concern of whoever is at the far end
  facts.upstream_leg.reset();
  co_return std::move(*dialled);
}

}  // namespace

Task<Dialled> reach(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                    Errand errand, Facts& facts, Instant deadline) {
  facts.stage = Stage::connecting;
  facts.parent.clear();
  facts.parent_said.clear();
  facts.upstream_leg.reset();
  facts.address = target.addresses.empty() ? SocketAddress() : target.addresses.front();
  Dialled dialled;
  if (target.via) {
    auto reaching = reach_through_parent(house, own, upstream.parents[*target.via], target, facts, deadline);
    dialled = co_await reaching;
  } else {
    auto connecting = connect_to(house, own, target, upstream.upstream->config, deadline);
    net::Connected connected = co_await connecting;
    facts.address = connected.address;
    dialled.stream = std::move(connected.stream);
  }
  if (!target.tls) co_return dialled;
  auto securing = secure(house, upstream, target, dialled, errand, facts, deadline);
  auto tls = co_await securing;
  dialled.tls = tls.get();
  dialled.early = {};
  dialled.stream = std::move(tls);
  co_return dialled;
}

Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, Facts& facts, Errand errand,
                   Instant deadline) {
  facts.stage = Stage::connecting;
  auto knowing = known_targets(house, upstream, deadline);
  auto targets = co_await knowing;
  const config::Upstream& config = upstream.upstream->config;
  std::string key = hash_key(*upstream.upstream, facts);
  Error last{.code = Errc::no_endpoint, .side = Side::upstream, .doing = kDoing};
  std::vector<int> tried;
  while (tried.size() < config.tries && house.reactor.now() < deadline) {
    int index = upstream.balancer.pick(*targets, tried, key, house.reactor.now());
    if (index < 0) break;
    tried.push_back(index);
    facts.attempts = static_cast<std::uint16_t>(tried.size());
    const Target& target = (*targets)[static_cast<std::size_t>(index)];
    AtEndpoint at(target.endpoint);
    // Behind a parent there are tries of its own; one that is silent must leave time for the next.
    Instant until = target.via ? deadline : std::min(deadline, house.reactor.now() + config.try_timeout);
    auto reaching = reach(house, own, upstream, target, errand, facts, until);
    auto reached = co_await loop::attempt(std::move(reaching));
    if (reached) {
      target.endpoint->connect_succeeded();
      reached->at = std::move(at);
      co_return std::move(*reached);
    }
    last = reached.error();
    if (last.code == Errc::no_resources) break;  // our own want, not the endpoint's fault
    if (last.side != Side::parent) last.side = Side::upstream;
    if (last.side == Side::parent && !tells_of_endpoint(last)) continue;
    if (is_wish_of_client(upstream, target, last)) continue;
    bool ejected = target.endpoint->connect_failed(house.reactor.now(), config.ejection);
    if (ejected) {
      house.journal.tell(
          config::LogLevel::warning, facts.id, "",
          fmt::format("endpoint {} of upstream {} is put aside for {} s: {}", target.endpoint->label(),
                      config.name, std::chrono::duration<double>(config.ejection.time).count(), words(last)));
    }
  }
  co_await loop::fail(last);
  std::unreachable();
}

}  // namespace lockgate::proxy
