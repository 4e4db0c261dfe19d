#include "proxy/dial.h"

#include <fmt/core.h>

#include <algorithm>

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
                                             net::AnyStream stream, Errand errand, Facts& facts,
                                             Instant deadline) {
  facts.stage = Stage::handshake;
  auto start = upstream.client_side->call({.endpoint = target.endpoint->label(),
                                           .host = target.host,
                                           .client_name = facts.name,
                                           .client_alpn = errand.alpn});
  start.ahead = errand.header;
  auto side = upstream.client_side;  // a reload may bring another one meanwhile
  auto tls = std::make_unique<tls::TlsStream>(std::move(stream), std::move(start), house.records);
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

// One endpoint, all the way.
Task<Dialled> reach(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                    Errand errand, Facts& facts, Instant deadline) {
  facts.stage = Stage::connecting;
  facts.upstream_leg.reset();
  Dialled dialled{.stream = nullptr, .at = AtEndpoint(target.endpoint)};
  facts.address = target.addresses.empty() ? SocketAddress() : target.addresses.front();
  auto connecting = connect_to(house, own, target, upstream.upstream->config, deadline);
  net::Connected connected = co_await connecting;
  facts.address = connected.address;
  dialled.stream = std::move(connected.stream);
  if (!target.tls) co_return dialled;
  auto securing = secure(house, upstream, target, std::move(dialled.stream), errand, facts, deadline);
  auto tls = co_await securing;
  dialled.tls = tls.get();
  dialled.stream = std::move(tls);
  co_return dialled;
}

}  // namespace

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
    Instant until = std::min(deadline, house.reactor.now() + config.try_timeout);
    auto reaching = reach(house, own, upstream, target, errand, facts, until);
    auto reached = co_await loop::attempt(std::move(reaching));
    if (reached) {
      target.endpoint->connect_succeeded();
      co_return std::move(*reached);
    }
    last = reached.error();
    if (last.code == Errc::no_resources) break;  // our own want, not the endpoint's fault
    last.side = Side::upstream;
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
