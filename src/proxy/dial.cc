#include "proxy/dial.h"

#include <fmt/core.h>

#include <algorithm>

#include "proxy/sticky.h"
#include "proxy/tunnel.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr const char* kHandshaking = "shaking hands with the upstream";

// Whether a parent's refusal says that the endpoint could not be reached, or else something of the parent
// itself.
bool tells_of_endpoint(const Error& refusal) {
  bool answered = refusal.detail.kind == DetailKind::http_status || refusal.detail.kind == DetailKind::socks;
  return answered && refusal.code != Errc::refused;
}

Task<net::Connected> connect_to(House& house, const OwnAddresses& own, const Target& target,
                                const config::Upstream& config, Instant deadline) {
  auto ours = [&](const SocketAddress& address) { return own.contains(address); };
  if (std::ranges::any_of(target.addresses, ours)) co_await loop::fail(Errc::loops, kConnecting);
  auto connecting = house.connector.connect(target.addresses, socket_options(config.tcp), deadline);
  auto connected = co_await loop::attempt(std::move(connecting));
  if (connected) co_return std::move(*connected);
  Error error = connected.error();
  error.doing = kConnecting;
  co_await loop::fail(error);
  std::unreachable();
}

Task<std::unique_ptr<tls::TlsStream>> secure(House& house, UpstreamView& upstream, const Target& target,
                                             Dialled& dialled, Errand errand, const Facts& facts, Way& way,
                                             Instant deadline) {
  way.stage = Stage::handshake;
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
  way.leg = leg_of(*tls, shaken.has_value());
  if (shaken) co_return tls;
  if (tls->untrusted().empty() && shaken.error().code == Errc::untrusted) {
    way.leg->untrusted = "its key is none of `pins`";
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

// A stream to `target` that its parent has opened for us, or one to the parent itself. Parents share the load
// and stand in for each other. The parent is taken by value: a reload may put another one into the view
// meanwhile.
Task<Dialled> reach_through_parent(House& house, const OwnAddresses& own, ParentView parent,
                                   const Target& target, bool tunnelled, const Facts& facts, Way& way,
                                   Instant deadline) {
  std::uint16_t attempts = way.attempts;
  auto dialling = dial(house, own, *parent.upstream, facts, way, {.to_parent = true}, deadline);
  auto dialled = co_await loop::attempt(std::move(dialling));
  way.attempts = attempts;
  if (!dialled) {
    Error error = dialled.error().on(Side::parent);
    if (error.doing == kConnecting) error.doing = "connecting to the parent";
    way.parent = parent.upstream->upstream->config.endpoints.front().url;
    co_await loop::fail(error);
  }
  dialled->at_parent = std::move(dialled->at);
  way.parent = dialled->at_parent.endpoint()->label();
  dialled->tls = nullptr;  // that is the parent's, and no concern of whoever is at the far end
  way.leg.reset();
  if (!tunnelled) co_return std::move(*dialled);
  static const wire::Credentials kNone;
  const wire::Credentials& credentials = parent.credentials ? *parent.credentials : kNone;
  TunnelRequest request{.kind = kind_of(*dialled->at_parent.endpoint()),
                        .host = target.far_host,
                        .port = target.far_port,
                        .user = credentials.user,
                        .password = credentials.password};
  way.stage = Stage::connecting;
  auto opening = open_tunnel(*dialled->stream, house.buffers, request, deadline, way.parent_said);
  TunnelAnswer answer = co_await opening;
  dialled->early = std::move(answer.early);
  co_return std::move(*dialled);
}

}  // namespace

Task<Dialled> reach(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                    Errand errand, const Facts& facts, Way& way, Instant deadline) {
  way.stage = Stage::connecting;
  way.parent.clear();
  way.parent_said.clear();
  way.leg.reset();
  way.address = target.addresses.empty() ? SocketAddress() : target.addresses.front();
  Dialled dialled;
  if (target.via) {
    auto reaching = reach_through_parent(house, own, upstream.parents[*target.via], target, !errand.of_parent,
                                         facts, way, deadline);
    dialled = co_await reaching;
  } else {
    auto connecting = connect_to(house, own, target, upstream.upstream->config, deadline);
    net::Connected connected = co_await connecting;
    way.address = connected.address;
    dialled.stream = std::move(connected.stream);
  }
  if (!target.tls) co_return dialled;
  auto securing = secure(house, upstream, target, dialled, errand, facts, way, deadline);
  auto tls = co_await securing;
  dialled.tls = tls.get();
  dialled.early.clear();
  dialled.stream = std::move(tls);
  co_return dialled;
}

Task<std::shared_ptr<const Targets>> known_targets(House& house, UpstreamView& upstream, Instant deadline) {
  while (!upstream.targets) {
    loop::Wait wait(house.reactor, upstream.news, deadline);
    bool told = co_await wait;
    if (!told)
      co_await loop::fail(Error{.code = Errc::unresolved, .side = Side::upstream, .doing = kConnecting});
  }
  co_return upstream.targets;
}

std::string hash_key(const Upstream& upstream, std::string_view name, const Ip& client) {
  if (upstream.config.balance != config::Balance::consistent_hash) return "";
  return upstream.config.hash == config::HashKey::name ? std::string(name) : client.text();
}

const Target* Attempts::next() {
  const config::Upstream& config = upstream_->upstream->config;
  at_ = {};
  full_ = false;
  if (over_ || made_ >= std::min<std::size_t>(config.tries, kMost)) return nullptr;
  Instant now = house_->reactor.now();
  if (made_ == 0) {
    upstream_->retry_budget.begin(now);
  } else if (!upstream_->retry_budget.take(now, config.retry_budget)) {
    upstream_->upstream->commons->retries_saved.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  full_ = upstream_->queue && !upstream_->queue->empty();  // those who wait go first
  return full_ ? nullptr : pick();
}

const Target* Attempts::pick() {
  Instant now = house_->reactor.now();
  int index = stuck_target();
  std::span<const int> tried(tried_.data(), made_);
  if (index < 0) index = upstream_->balancer.pick(*targets_, tried, key_, now);
  if (index == Balancer::kNone) index = broken_;
  full_ = index == Balancer::kFull;
  if (index < 0) return nullptr;
  const Target& target = (*targets_)[static_cast<std::size_t>(index)];
  at_ = AtEndpoint(target.endpoint, target.max_connections);
  full_ = !at_.endpoint();
  if (full_) return nullptr;
  tried_[made_++] = index;
  target_ = &target;
  return target_;
}

// Whom it has failed is not asked again for the same request, but after a mishap.
int Attempts::stuck_target() const {
  if (stuck_to_ == 0) return Balancer::kNone;
  auto found = std::ranges::find(*targets_, stuck_to_, &Target::mark);
  bool usable = found != targets_->end() && keeps_its_clients(*found, house_->reactor.now());
  int index = usable ? static_cast<int>(found - targets_->begin()) : Balancer::kNone;
  return made_ == 0 || index == broken_ ? index : Balancer::kNone;
}

// Waits for what it would try next.
class Attempts::InQueue final : public Queue::Waiter {
 public:
  explicit InQueue(Attempts& attempts) : attempts_(attempts) {}
  bool take_place() override { return attempts_.pick() != nullptr || !attempts_.is_full(); }
  bool is_choosy() const override {
    bool hashed = attempts_.upstream_->upstream->config.balance == config::Balance::consistent_hash;
    return hashed || attempts_.stuck_to_ != 0 || attempts_.made_ > 0;
  }

 private:
  Attempts& attempts_;
};

Task<const Target*> Attempts::wait_for_place(Instant deadline) {
  constexpr const char* kWaiting = "waiting for a place at an endpoint";
  const config::EndpointQueue& limits = upstream_->upstream->config.queue;
  Commons& commons = *upstream_->upstream->commons;
  Error refused{.code = Errc::limited, .side = Side::upstream, .doing = kWaiting};
  if (limits.length == 0 || !commons.queue.enter(limits.length)) {
    commons.turned_away.fetch_add(1, std::memory_order_relaxed);
    refused.doing =
        limits.length == 0 ? "looking for a place at an endpoint" : "looking for a place in the queue";
    co_await loop::fail(refused);
  }
  Place place(commons.queue);
  commons.queued.fetch_add(1, std::memory_order_relaxed);
  if (!upstream_->queue) upstream_->queue = std::make_unique<Queue>(house_->reactor, house_->place_freed);
  std::uint16_t made = made_;
  InQueue waiter(*this);
  upstream_->queue->join(waiter, targets_);
  if (!waiter.let_in()) {
    loop::Wait wait(house_->reactor, waiter.called(),
                    std::min(deadline, house_->reactor.now() + limits.timeout));
    bool called = co_await wait;
    if (!called && !waiter.let_in()) {
      commons.turned_away.fetch_add(1, std::memory_order_relaxed);
      co_await loop::fail(refused);
    }
  }
  co_return made_ > made ? target_ : nullptr;
}

Instant Attempts::deadline(Instant overall) const {
  // Behind a parent there are tries of its own; one that is silent must leave time for the next.
  if (target_->via) return overall;
  return std::min(overall, house_->reactor.now() + upstream_->upstream->config.try_timeout);
}

void Attempts::failed(Error error) {
  if (error.code == Errc::no_resources) over_ = true;  // our own want, not the endpoint's fault
  if (error.side != Side::parent && !over_) error.side = Side::upstream;
  last_ = error;
  if (over_) return;
  int index = tried_[made_ - 1];
  if (is_mishap(error))
    broken_ = index;
  else if (index == broken_)
    broken_ = Balancer::kNone;
  if (error.side == Side::parent && !tells_of_endpoint(error)) return;
  if (is_wish_of_client(*upstream_, *target_, error)) return;
  const config::Upstream& config = upstream_->upstream->config;
  bool ejected = target_->endpoint->connect_failed(house_->reactor.now(), config.ejection);
  if (ejected) tell_ejected(words(error));
}

// For the first time it broke off without a word, before anything was sent that could do harm twice.
bool Attempts::is_mishap(const Error& error) const {
  std::string_view doing = error.doing;
  bool unasked = error.side != Side::parent && (doing == kConnecting || doing == kHandshaking);
  bool broke = error.code == Errc::closed || error.code == Errc::reset;
  if (!unasked || !broke) return false;
  std::span<const int> tried(tried_.data(), made_);
  return std::ranges::count(tried, tried.back()) == 1;
}

void Attempts::answered(bool well) {
  const config::Ejection& ejection = upstream_->upstream->config.ejection;
  bool ejected = target_->endpoint->answered(well, house_->reactor.now(), ejection);
  if (ejected) tell_ejected(fmt::format("{} bad answers in a row", ejection.server_errors));
}

void Attempts::tell_ejected(std::string_view why) const {
  const config::Upstream& config = upstream_->upstream->config;
  house_->journal.tell(
      config::LogLevel::warning, connection_, "",
      fmt::format("endpoint {} of upstream {} is put aside for {} s: {}", target_->endpoint->label(),
                  config.name, std::chrono::duration<double>(config.ejection.time).count(), why));
}

Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, const Facts& facts,
                   Way& way, Errand errand, Instant deadline) {
  way.stage = Stage::connecting;
  auto knowing = known_targets(house, upstream, deadline);
  auto targets = co_await knowing;
  std::string key = hash_key(*upstream.upstream, facts.name, facts.client.ip());
  Attempts attempts(house, upstream, std::move(targets), std::move(key), facts.id);
  while (house.reactor.now() < deadline) {
    const Target* target = attempts.next();
    if (attempts.is_full()) {
      way.stage = Stage::queued;
      Instant since = house.reactor.now();
      auto waiting = attempts.wait_for_place(kNever);
      target = co_await waiting;
      deadline = deadline + (house.reactor.now() - since);  // it has its own time
    }
    if (!target) break;
    way.attempts = attempts.made();
    AtEndpoint at = attempts.take_place();
    auto reaching = reach(house, own, upstream, *target, errand, facts, way, attempts.deadline(deadline));
    auto reached = co_await loop::attempt(std::move(reaching));
    if (reached) {
      target->endpoint->connect_succeeded();
      reached->at = std::move(at);
      co_return std::move(*reached);
    }
    attempts.failed(reached.error());
  }
  co_await loop::fail(attempts.last());
  std::unreachable();
}

}  // namespace lockgate::proxy
