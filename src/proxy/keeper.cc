#include "proxy/keeper.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/dial.h"
#include "proxy/health_check.h"
#include "proxy/sticky.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLastRetry = std::chrono::seconds(30);
// Of thousands of names, at once; name servers drop what comes in a flood.
constexpr std::size_t kMostQuestions = 128;

std::string text_of(const std::vector<SocketAddress>& name_servers) {
  std::string text;
  for (const auto& server : name_servers) text += "|@" + server.text();
  return text;
}

// Of texts that may be anything, each with its size before it.
std::string key_of(const config::HealthCheck& health) {
  std::string key =
      fmt::format("|{}|{}|{}|{}", health.every.count(), health.timeout.count(), health.rise, health.fall);
  auto add = [&](std::string_view text) { key += fmt::format("|{}:{}", text.size(), text); };
  for (const std::string* text : {&health.path, &health.method, &health.host, &health.body}) add(*text);
  for (const auto& [first, last] : health.status) key += fmt::format("|{}-{}", first, last);
  for (const auto& [name, value] : health.fields) {
    add(name);
    add(value);
  }
  return key;
}

// Where between two rounds the checks of an endpoint are, as a part of 1: always the same, and another one
// for each of many, so that they do not all happen at once.
double phase_of(std::string_view upstream, std::string_view label) {
  constexpr std::size_t kSteps = 1 << 16;
  std::size_t hash = std::hash<std::string_view>()(upstream) * 31 + std::hash<std::string_view>()(label);
  return static_cast<double>(hash % kSteps) / kSteps;
}

// Two configurations with the same key have the same targets, checks and counts.
std::string key_of(const config::Upstream& config, const std::vector<SocketAddress>& name_servers) {
  std::string key =
      fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}", config.name, int(config.balance), int(config.hash),
                  config.ejection.failures, config.ejection.server_errors, config.ejection.time.count(),
                  config.slow_start.count(), config.try_timeout.count(), config.tries);
  key += key_of(config.health);
  key += fmt::format("|{}|{}|{}|{}", config.tcp.keepalive.count(), config.tcp.keepalive_interval.count(),
                     config.tcp.keepalive_probes, config.tcp.user_timeout.count());
  key +=
      fmt::format("|{}|{}|{}|{}|{}", config.retry_budget, config.queue.length, config.queue.timeout.count(),
                  config.idle_connections.time.count(), config.idle_connections.most);
  const config::Sticky& sticky = config.sticky;
  key += fmt::format("|{}|{}|{}|{}|{}", sticky.cookie, sticky.path_parameter, sticky.own_cookie,
                     sticky.expire.count(), sticky.entries);
  key += text_of(name_servers);
  for (const auto& endpoint : config.endpoints) {
    key += fmt::format("|{} {} {} {} {} {}", endpoint.url, endpoint.weight, endpoint.backup,
                       endpoint.via ? static_cast<std::int64_t>(*endpoint.via) : -1, endpoint.own_name,
                       config::effective_most(config, endpoint));
  }
  return key;
}

}  // namespace

// One upstream being kept. Each of its endpoints has its own answer of the resolver; together they are the
// targets.
class Keeper::Kept {
 public:
  Kept(Keeper& keeper, const config::Upstream& config, const std::vector<SocketAddress>& name_servers)
      : keeper_(keeper),
        upstream_(std::make_shared<Upstream>(config, keeper.commons_of(config.name))),
        scope_(keeper.reactor_),
        answers_(config.endpoints.size()),
        view_(std::make_shared<UpstreamView>(upstream_, nullptr, 0)) {
    // A parent resolves names itself, but knows no services.
    auto needs_names = [](const config::Endpoint& endpoint) {
      return (endpoint.kind == config::Endpoint::Kind::name && !endpoint.via) ||
             endpoint.kind == config::Endpoint::Kind::service;
    };
    if (std::ranges::any_of(config.endpoints, needs_names)) {
      resolver_ = keeper.resolver(name_servers);
    }
    for (std::size_t i = 0; i < config.endpoints.size(); ++i) {
      const config::Endpoint& endpoint = config.endpoints[i];
      if (needs_names(endpoint)) {
        scope_.spawn(resolve_forever(i));
      } else {
        answers_[i] = Targets{target(endpoint, endpoint.url, addresses_of(endpoint))};
      }
    }
    publish();
    if (config.health.every > Duration::zero()) scope_.spawn(check_forever());
  }

  const std::shared_ptr<const Upstream>& upstream() const { return upstream_; }
  const std::shared_ptr<const Targets>& targets() const { return targets_; }
  const std::shared_ptr<UpstreamView>& view() const { return view_; }
  /// Of the sites that use it; none if they send no PROXY header.
  void set_header(std::optional<wire::ProxyVersion> version) { header_ = version; }

 private:
  const config::Upstream& config() const { return upstream_->config; }

  // Whom a certificate has to name: what the operator wrote, never what only the DNS says (RFC 6125, 6.2.1).
  // Of a service that is the domain behind its labels.
  static std::string host_of(const config::Endpoint& endpoint) {
    switch (endpoint.kind) {
      case config::Endpoint::Kind::name:
        return endpoint.name;
      case config::Endpoint::Kind::address:
        return endpoint.address.ip().text();
      case config::Endpoint::Kind::unix_path:
        return "localhost";
      case config::Endpoint::Kind::service:
        break;
    }
    std::string_view domain = endpoint.name;
    while (domain.starts_with('_') && domain.contains('.')) domain.remove_prefix(domain.find('.') + 1);
    return std::string(domain);
  }

  static std::vector<SocketAddress> addresses_of(const config::Endpoint& endpoint) {
    if (endpoint.via) return {};
    return {endpoint.address};
  }

  Target target(const config::Endpoint& endpoint, const std::string& label,
                std::vector<SocketAddress> addresses) {
    auto& known = keeper_.endpoints_[config().name + " " + label];
    if (!known) known = std::make_shared<Endpoint>(label, keeper_.workers_, keeper_.freed_);
    if (config().health.every == Duration::zero()) known->set_up(true);  // nobody else would find it up again
    Target target{known,           std::move(addresses), endpoint.weight,
                  endpoint.backup, endpoint.tls,         host_of(endpoint)};
    target.via = endpoint.via;
    target.far_host = target.host;
    target.far_port =
        endpoint.kind == config::Endpoint::Kind::address ? endpoint.address.port() : endpoint.port;
    target.name = endpoint.own_name;
    target.mark = mark_of(config().name, target.name.empty() ? label : target.name);
    target.max_connections = config::effective_most(config(), endpoint);
    return target;
  }

  Task<void> resolve_forever(std::size_t index) {
    Duration retry = kFirstRetry;
    for (;;) {
      auto waiting = keeper_.turns_.take();
      loop::Turns::Turn turn = co_await waiting;
      auto resolving = resolve(index);
      auto ttl = co_await loop::attempt(std::move(resolving));
      Duration pause = retry;
      if (ttl) {
        pause = *ttl;
        retry = kFirstRetry;
      } else {
        tell_unresolved(index, ttl.error());
        retry = std::min(retry * 2, kLastRetry);
      }
      turn.end();
      loop::Sleep sleep(keeper_.reactor_, keeper_.reactor_.now() + pause);
      co_await sleep;
    }
  }

  // Sets the endpoint's answer and tells how long it is good for.
  Task<Duration> resolve(std::size_t index) {
    const config::Endpoint& endpoint = config().endpoints[index];
    if (endpoint.kind == config::Endpoint::Kind::name) {
      auto asking = resolver_->addresses(endpoint.name);
      net::Addresses answer = co_await asking;
      take_answer(index, {target(endpoint, endpoint.url, with_port(answer.ips, endpoint.port))});
      co_return answer.ttl;
    }
    auto asking = resolver_->services(endpoint.name);
    net::Services answer = co_await asking;
    std::uint16_t first = UINT16_MAX;
    for (const auto& service : answer.services) first = std::min(first, service.priority);
    Targets found;
    Duration ttl = answer.ttl;
    for (const auto& service : answer.services) {
      if (endpoint.via) {
        found.push_back(served_by(endpoint, service, {}, first));
        continue;
      }
      auto asking_host = resolver_->addresses(service.name + ".");  // absolute: no search domains
      auto host = co_await loop::attempt(std::move(asking_host));
      if (!host) continue;
      ttl = std::min(ttl, host->ttl);
      found.push_back(served_by(endpoint, service, with_port(host->ips, service.port), first));
    }
    if (found.empty()) {
      co_await loop::fail(
          Error{.code = Errc::unresolved, .side = Side::upstream, .doing = "resolving the services"});
    }
    take_answer(index, std::move(found));
    co_return ttl;
  }

  /// The target of one SRV record; those of the lowest priority, `first`, are used first (RFC 2782).
  Target served_by(const config::Endpoint& endpoint, const wire::Service& service,
                   std::vector<SocketAddress> addresses, std::uint16_t first) {
    Target one = target(endpoint, fmt::format("{}:{}", service.name, service.port), std::move(addresses));
    one.weight = std::max<std::uint32_t>(service.weight, 1);
    one.backup = endpoint.backup || service.priority != first;
    one.far_host = service.name;
    one.far_port = service.port;
    return one;
  }

  static std::vector<SocketAddress> with_port(const std::vector<Ip>& ips, std::uint16_t port) {
    std::vector<SocketAddress> addresses;
    for (const Ip& ip : ips) addresses.emplace_back(ip, port);
    return net::interleaved(addresses);
  }

  void take_answer(std::size_t index, Targets answer) {
    unresolved_told_ = false;
    answers_[index] = std::move(answer);
    publish();
  }

  // The targets are known once any endpoint is; one that never resolves must not hold up the others.
  void publish() {
    auto all = std::make_shared<Targets>();
    for (const auto& answer : answers_) {
      if (answer) all->insert(all->end(), answer->begin(), answer->end());
    }
    if (all->empty()) return;
    targets_ = std::move(all);
    view_->targets = targets_;
    view_->news.wake_all();
    keeper_.publish_(upstream_, targets_);
    check_newcomers();
  }

  void tell_unresolved(std::size_t index, const Error& error) {
    auto level = std::exchange(unresolved_told_, true) ? config::LogLevel::debug : config::LogLevel::warning;
    keeper_.journal_.tell(
        level, 0, "",
        fmt::format("upstream {}: {} does not resolve: {}; {}", config().name, config().endpoints[index].url,
                    words(error), answers_[index] ? "its last addresses stay in use" : "it is tried again"));
  }

  // Begins in a turn to come, when the plan has said through which parents and with which TLS.
  Task<void> check_forever() {
    loop::Sleep planned(keeper_.reactor_, keeper_.reactor_.now());
    co_await planned;
    planned_ = true;
    check_newcomers();
    for (;;) {
      check_round();
      loop::Sleep sleep(keeper_.reactor_, keeper_.reactor_.now() + config().health.every);
      co_await sleep;
    }
  }

  // At once, to have a first answer soon: names may be answered long after a round has begun.
  void check_newcomers() {
    if (!planned_ || !targets_) return;
    for (const Target& target : *targets_) {
      if (!records_.contains(target.endpoint.get())) scope_.spawn(check(target, Duration::zero()));
    }
  }

  // Each in its place of the round.
  void check_round() {
    if (!targets_) return;
    auto every = static_cast<double>(config().health.every.count());
    for (const Target& target : *targets_) {
      double phase = phase_of(config().name, target.endpoint->label());
      scope_.spawn(check(target, Duration(static_cast<Duration::rep>(every * phase))));
    }
  }

  Task<void> check(Target target, Duration pause) {
    if (pause > Duration::zero()) {
      loop::Sleep sleep(keeper_.reactor_, keeper_.reactor_.now() + pause);
      co_await sleep;
    }
    Record& record = records_[target.endpoint.get()];
    if (std::exchange(record.under_way, true)) co_return;  // it may take longer than a round
    auto view = view_;                                     // a new plan may bring another one meanwhile
    auto finding = find_fault(keeper_.house_, nobody_is_us_, *view, target, header_);
    std::string fault = co_await finding;
    record.under_way = false;
    judge(*target.endpoint, record.streak, std::move(fault));
  }

  void judge(Endpoint& endpoint, int& streak, std::string fault) {
    streak = fault.empty() ? std::max(streak, 0) + 1 : std::min(streak, 0) - 1;
    bool turned = endpoint.up() ? streak <= -static_cast<int>(config().health.fall)
                                : streak >= static_cast<int>(config().health.rise);
    if (turned) {
      if (!endpoint.up()) endpoint.came_back(keeper_.reactor_.now());
      endpoint.set_up(!endpoint.up());
      keeper_.journal_.tell(
          config::LogLevel::warning, 0, "",
          fmt::format("endpoint {} of upstream {} is {}{}{}", endpoint.label(), config().name,
                      endpoint.up() ? "up again" : "down", fault.empty() ? "" : ": ", fault));
    }
    endpoint.set_fault(std::move(fault));
  }

  /// Of the checks of an endpoint.
  struct Record {
    int streak = 0;  // successes count up, failures down
    bool under_way = false;
  };

  Keeper& keeper_;
  std::shared_ptr<const Upstream> upstream_;
  std::shared_ptr<net::Resolver> resolver_;
  loop::Scope scope_;
  std::vector<std::optional<Targets>> answers_;  // per configured endpoint
  std::shared_ptr<const Targets> targets_;
  std::shared_ptr<UpstreamView> view_;  // as checks see it
  OwnAddresses nobody_is_us_;           // whether an endpoint is this process is asked for connections
  std::optional<wire::ProxyVersion> header_;
  std::map<const Endpoint*, Record> records_;
  bool planned_ = false;  // checks may begin
  bool unresolved_told_ = false;
};

Keeper::Keeper(loop::Reactor& reactor, net::Connector& connector, Journal& journal, Publish publish,
               std::size_t workers, Gate::Freed freed)
    : reactor_(reactor),
      journal_(journal),
      publish_(std::move(publish)),
      workers_(workers),
      freed_(std::move(freed)),
      turns_(reactor, kMostQuestions),
      pool_(reactor),
      house_{reactor, buffers_, connector,       journal,      desk_,
             pool_,   records_, parent_records_, place_freed_, 0} {}

Keeper::~Keeper() = default;

void Keeper::take_plan(const Plan& plan, std::size_t thread) {
  std::vector<std::shared_ptr<UpstreamView>> views;
  for (const auto& upstream : plan.upstreams) views.push_back(by_upstream_.at(upstream.get())->view());
  equip(views, plan, thread);
  for (auto& [upstream, kept] : by_upstream_) kept->set_header({});
  for (const auto& listener : plan.config->listeners) {
    for (const auto& site : listener.sites) {
      auto version = header_version(site);
      if (!version) continue;
      for (std::uint32_t upstream : config::upstreams_of(site)) {
        by_upstream_.at(plan.upstreams[upstream].get())->set_header(version);
      }
    }
  }
}

std::shared_ptr<const Upstream> Keeper::keep(const config::Upstream& config,
                                             const std::vector<SocketAddress>& name_servers) {
  const auto& servers = config.name_servers.empty() ? name_servers : config.name_servers;
  auto& kept = kept_[key_of(config, servers)];
  if (!kept) {
    kept = std::make_unique<Kept>(*this, config, servers);
    by_upstream_.emplace(kept->upstream().get(), kept.get());
  }
  return kept->upstream();
}

std::shared_ptr<const Targets> Keeper::targets(const Upstream& upstream) const {
  auto kept = by_upstream_.find(&upstream);
  return kept == by_upstream_.end() ? nullptr : kept->second->targets();
}

void Keeper::keep_only(const std::vector<std::shared_ptr<const Upstream>>& used) {
  std::unordered_map<const Upstream*, Kept*> staying;
  for (const auto& upstream : used) {
    if (auto kept = by_upstream_.extract(upstream.get())) staying.insert(std::move(kept));
  }
  by_upstream_ = std::move(staying);
  std::erase_if(kept_,
                [&](const auto& entry) { return !by_upstream_.contains(entry.second->upstream().get()); });
  std::erase_if(endpoints_, [](const auto& entry) { return entry.second.use_count() == 1; });
  std::erase_if(commons_, [](const auto& entry) { return entry.second.expired(); });
}

std::shared_ptr<Commons> Keeper::commons_of(const std::string& upstream) {
  auto& known = commons_[upstream];
  auto commons = known.lock();
  if (!commons) known = commons = std::make_shared<Commons>();
  return commons;
}

// One for all upstreams with the same name servers: its sockets and memory are worth sharing.
std::shared_ptr<net::Resolver> Keeper::resolver(const std::vector<SocketAddress>& name_servers) {
  auto& known = resolvers_[text_of(name_servers)];
  auto resolver = known.lock();
  if (!resolver) {
    resolver = std::make_shared<net::Resolver>(reactor_, net::ResolverOptions{.name_servers = name_servers});
    known = resolver;
  }
  return resolver;
}

void Keeper::each(const std::function<void(const Upstream&, const Targets*)>& see) const {
  for (const auto& [key, kept] : kept_) see(*kept->upstream(), kept->targets().get());
}

}  // namespace lockgate::proxy
