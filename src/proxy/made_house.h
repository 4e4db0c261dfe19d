// For tests: a house whose clock the test turns, whose journal keeps what it is told,
// and plans compiled from a few lines of configuration.
//
// Nothing here waits: settle() takes as many turns as the work at hand may need.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/parse.h"
#include "guard/address_sources.h"
#include "net/made_sockets.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/pool.h"
#include "proxy/sticky.h"

namespace lockgate::proxy {

inline SocketAddress made_address(std::string_view text) { return *SocketAddress::parse(text); }

/// Keeps lines and messages; wants messages of every level.
class MadeJournal final : public Journal {
 public:
  void line(std::uint16_t target, std::string_view line) override {
    targets.push_back(target);
    lines.emplace_back(line.substr(0, line.size() - 1));
  }
  void tell(config::LogLevel level, std::uint64_t, std::string_view, std::string_view message) override {
    levels.push_back(level);
    told.emplace_back(message);
  }
  bool wants(config::LogLevel, std::string_view) const override { return true; }

  std::vector<std::uint16_t> targets;  // of the lines
  std::vector<std::string> lines;      // without their newlines
  std::vector<config::LogLevel> levels;
  std::vector<std::string> told;
};

/// A network in which some addresses answer with a stream, some refuse, and some never answer.
class MadeConnector final : public net::Connector {
 public:
  explicit MadeConnector(loop::Reactor& reactor) : reactor_(reactor) {}

  void answer(const SocketAddress& at) { answers_[at] = {}; }
  void fail(const SocketAddress& at, Errc code) { answers_[at] = code; }

  loop::Task<net::Connected> connect(std::span<const SocketAddress> addresses, net::SocketOptions,
                                     Instant deadline) override {
    SocketAddress address = addresses.front();
    dialled.push_back(address);
    auto answer = answers_.find(address);
    if (answer == answers_.end()) {
      loop::WaitSlot never;
      loop::Wait wait(reactor_, never, deadline);
      co_await wait;
      co_await loop::fail(Errc::timed_out, "connecting");
    }
    if (answer->second) co_await loop::fail(*answer->second, "connecting");
    auto [near, far] = net::unix_pair();
    auto stream = net::TcpStream::adopt(reactor_, std::move(near));
    co_return net::Connected{std::move(*stream), address};
  }

  std::vector<SocketAddress> dialled;

 private:
  loop::Reactor& reactor_;
  std::map<SocketAddress, std::optional<Errc>> answers_;  // nothing: a stream
};

/// Hands out things by their names, as the process does.
class MadeRegistry final : public Registry {
 public:
  /// Remembers little unless told otherwise: most tests make one again and again.
  explicit MadeRegistry(std::size_t most_bans = 100, std::size_t rate_cells = 512)
      : guards{1, most_bans, rate_cells} {}

  std::shared_ptr<Tally> tally(const std::string& listener, const std::string& site,
                               const std::string& verdict) override {
    auto& tally = tallies[listener + "/" + site];
    if (!tally) tally = std::make_shared<Tally>(listener, site, verdict, 1);
    return tally;
  }
  std::shared_ptr<RequestTally> request_tally(const std::string& listener, const std::string& site,
                                              const std::string& route) override {
    auto& tally = request_tallies[listener + "/" + site + "/" + route];
    if (!tally) tally = std::make_shared<RequestTally>(listener, site, route, 1);
    return tally;
  }
  std::shared_ptr<Gate> gate(const std::string& name, std::uint32_t limit) override {
    if (limit == 0) return nullptr;
    auto& gate = gates[name];
    if (!gate) gate = std::make_shared<Gate>(limit, freed);
    return gate;
  }
  guard::Guardroom& guardroom() override { return guards; }
  std::shared_ptr<const Upstream> upstream(const config::Upstream& config) override {
    return std::make_shared<Upstream>(config);
  }
  tls::ServerSides server_sides(const config::Site& site) override { return keyring.server_sides(site); }
  std::shared_ptr<const wire::Credentials> credentials(const config::Parent& parent) override {
    return keyring.credentials(parent);
  }
  tls::ClientSides client_sides(const config::Upstream& upstream) override {
    return keyring.client_sides(upstream);
  }
  std::uint16_t log_target(const config::LogTarget& target) override {
    return target.kind == config::LogTarget::Kind::off ? 0xffff : 7;
  }

  const Shelf& shelf() const override { return filled; }

  Shelf filled;
  std::map<std::string, std::shared_ptr<Tally>> tallies;                 // by "listener/site"
  std::map<std::string, std::shared_ptr<RequestTally>> request_tallies;  // by "listener/site/route"
  std::map<std::string, std::shared_ptr<Gate>> gates;
  guard::Guardroom guards;
  Gate::Freed freed = [] {};
  SystemClock clock;
  tls::Keyring keyring{clock, 1};  // to be prepared by whoever needs TLS
};

/// The configuration that `text` is.
inline std::shared_ptr<const config::Config> made_config(std::string_view text) {
  auto parsed = config::parse_text(text, "test.yaml");
  for (const auto& diagnostic : parsed.diagnostics) {
    if (diagnostic.severity == config::Diagnostic::Severity::error) ADD_FAILURE() << words(diagnostic);
  }
  CHECK(parsed.config);
  return std::make_shared<const config::Config>(std::move(*parsed.config));
}

inline std::shared_ptr<const Plan> made_plan(std::string_view text, MadeRegistry& registry) {
  auto config = made_config(text);
  auto shelf = Shelf::filled_for(*config);
  CHECK(shelf);
  registry.filled = std::move(*shelf);
  auto rosters = guard::Rosters::read(*config);
  CHECK(rosters);
  registry.guards.rosters.use(std::move(*rosters),
                              [](const auto& place, const auto& users) { place->take(0, users); });
  auto addresses = guard::AddressSources::of(*config);
  CHECK(addresses);
  addresses->fill(registry.guards.addresses, 0);
  return compile(std::move(config), {}, registry);
}

/// Targets as a configuration of addresses alone gives them.
inline std::shared_ptr<const Targets> made_targets(
    const config::Upstream& config, const Gate::Freed& freed = [] {}) {
  auto targets = std::make_shared<Targets>();
  for (const auto& endpoint : config.endpoints) {
    targets->push_back({std::make_shared<Endpoint>(endpoint.url, 1, freed),
                        {endpoint.address},
                        endpoint.weight,
                        endpoint.backup,
                        endpoint.tls,
                        endpoint.address.is_unix() ? "localhost" : endpoint.address.ip().text()});
    targets->back().name = endpoint.own_name;
    targets->back().mark = mark_of(config.name, endpoint.own_name.empty() ? endpoint.url : endpoint.own_name);
    targets->back().max_connections = config::effective_most(config, endpoint);
  }
  return targets;
}

/// All that a worker's stories need.
struct MadeHouse {
  /// Turns until nothing more can happen without time or a peer.
  void settle(int turns = 8) {
    for (int i = 0; i < turns; ++i) reactor.turn(Duration::zero());
  }
  void pass(Duration time) {
    clock.advance(time);
    settle();
  }

  ManualClock clock;
  loop::Reactor reactor{clock};
  net::Buffers buffers;
  MadeConnector connector{reactor};
  MadeJournal journal;
  http::Desk desk{buffers};
  Pool pool{reactor};
  tls::Scratch records, parent_records;
  loop::WaitSlot place_freed;
  House house{reactor, buffers, connector, journal, desk, pool, records, parent_records, place_freed, 0};
};

}  // namespace lockgate::proxy
