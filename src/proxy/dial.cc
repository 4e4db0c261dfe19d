#include "proxy/dial.h"

#include <fmt/core.h>

#include <algorithm>

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kDoing = "connecting to the upstream";

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
  net::Connected connected = co_await connecting;
  co_return connected;
}

}  // namespace

Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, Facts& facts,
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
    Instant until = std::min(deadline, house.reactor.now() + config.try_timeout);
    auto connecting = connect_to(house, own, target, config, until);
    auto connected = co_await loop::attempt(std::move(connecting));
    if (connected) {
      target.endpoint->connect_succeeded();
      facts.address = connected->address;
      co_return Dialled{std::move(connected->stream), std::move(at)};
    }
    last = connected.error();
    last.doing = kDoing;
    if (last.code == Errc::no_resources) break;  // our own want, not the endpoint's fault
    last.side = Side::upstream;
    facts.address = target.addresses.empty() ? SocketAddress() : target.addresses.front();
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
