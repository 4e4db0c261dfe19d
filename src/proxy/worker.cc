#include "proxy/worker.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <unordered_map>

#include "base/check.h"
#include "net/tcp.h"
#include "proxy/access_log.h"
#include "proxy/ban_events.h"
#include "proxy/connection_rates.h"
#include "proxy/front_proxy.h"

namespace lockgate::proxy {

// One listening socket, as this worker accepts from it. When a limit says "queue", the connection that came
// one too many is held here for as long as it may wait, and the rest wait in the backlog. It keeps the plan
// that it serves, so that a listener which goes serves its last connections as it always did.
class Worker::Door final : public net::Acceptor {
 public:
  Door(Worker& worker, int fd, bool shared, SocketAddress address, std::shared_ptr<WorkerPlan> plan,
       const std::string& listener)
      : Acceptor(worker.reactor_, fd, shared), worker_(worker), fd_(fd), address_(std::move(address)) {
    serve(std::move(plan), listener);
  }

  int fd() const { return fd_; }
  /// New connections are for this listener of this plan.
  void serve(std::shared_ptr<WorkerPlan> plan, const std::string& listener) {
    waiting_.reset();  // at a gate that may go with the old plan
    plan_ = std::move(plan);
    listener_ = plan_->plan->listener(listener);
    CHECK(listener_);
    retry();
  }
  /// Admits the held connection if there is room now.
  void retry() {
    if (held_) admit(release());
  }
  /// Refuses the held connection.
  void turn_away(const Error& why) {
    if (held_) refuse(release(), why);
  }
  /// Takes what waits in the backlog for the last time; nobody waits for a place any more.
  void close() {
    closing_ = true;
    retry();
    drain();
  }

 private:
  struct Held {
    Fd fd;
    SocketAddress peer;
    Instant since;
    std::vector<guard::Counted> counted{};
  };
  struct OutOfPatience final : loop::Runnable {
    explicit OutOfPatience(Door& owner) : door(owner) {}
    void run() override { door.turn_away({.code = Errc::limited, .doing = "waiting for a place"}); }
    Door& door;
  };

  void accepted(Fd fd, const SocketAddress& peer) override {
    Held held{std::move(fd), peer, worker_.reactor_.now()};
    if (is_banned(peer.ip(), held.since)) {
      net::reset_on_close(held.fd.number());
      return refuse(std::move(held), {.code = Errc::banned, .doing = "accepting"});
    }
    if (!is_let_in(peer.ip())) return refuse(std::move(held), {.code = Errc::rejected, .doing = kJudging});
    const guard::RateRule* excess = arrive(held);
    if (excess) return turn_away(std::move(held), *excess);
    admit(std::move(held));
  }

  // Whoever may name another is looked at behind the PROXY header, or once there is none.
  bool is_banned(const Ip& peer, Instant now) const {
    return plan_->plan->ban_rules.bars(peer, worker_.number(), now) &&
           !awaits_proxy_header(*listener_->listener, peer);
  }

  // Whoever is let in by nobody here takes no place of others, and is heard no further.
  bool is_let_in(const Ip& peer) const {
    return listener_->at_accept.admits(peer, worker_.house_.worker) ||
           speaks_for_others(*listener_->listener, peer);
  }

  // Before anything is spent on it. Whoever sends a PROXY header is counted behind that.
  const guard::RateRule* arrive(Held& held) {
    if (!listener_->rates || awaits_proxy_header(*listener_->listener, held.peer.ip())) return nullptr;
    Facts facts;
    facts.peer = facts.client = held.peer;
    return pass_rates(worker_.house_, listener_->rates->arrivals, {facts, *listener_}, held.counted);
  }

  void turn_away(Held held, const guard::RateRule& excess) {
    if (excess.config.then == config::RateThen::refuse) net::reset_on_close(held.fd.number());
    refuse(std::move(held), excess_error(excess), &excess);
  }

  void admit(Held held) {
    const Plan& plan = *plan_->plan;
    Places places;
    bool room = enter(plan.gate, plan.config->limit, held, places.process) &&
                enter(listener_->gate, listener_->listener->limit, held, places.listener);
    if (held_) return;
    if (!room) return refuse(std::move(held), {.code = Errc::limited, .doing = "accepting"});
    Facts facts = worker_.facts_of(*listener_, held.fd.number(), held.peer, address_);
    places.counted = std::move(held.counted);
    worker_.serve(plan_, *listener_, std::move(held.fd), std::move(facts), std::move(places));
  }

  bool enter(const std::shared_ptr<Gate>& gate, const config::ConnectionLimit& limit, Held& held,
             Place& place) {
    if (!gate) return true;
    bool may_wait = limit.when_full == config::WhenFull::queue && !closing_;
    std::optional<Waiting> waiting;
    if (may_wait) waiting.emplace(*gate);
    if (gate->enter()) {
      place = Place(*gate);
      return true;
    }
    if (may_wait) {
      waiting_.emplace(*gate);
      worker_.reactor_.start(patience_, held.since + limit.queue_timeout);
      held_.emplace(std::move(held));
      pause();
    }
    return false;
  }

  Held release() {
    Held held = std::move(*held_);
    held_.reset();
    waiting_.reset();
    patience_.stop();
    resume();
    return held;
  }

  void refuse(Held held, const Error& why, const guard::RateRule* excess = nullptr) {
    Facts facts = worker_.facts_of(*listener_, held.fd.number(), held.peer, address_);
    facts.excess = excess;
    facts.accepted = held.since;
    worker_.tell_refused(*plan_->plan, *listener_, facts, why);
  }

  void accept_failed(const Error& error) override {
    constexpr Duration kTellEvery = std::chrono::seconds(1);
    Instant now = worker_.reactor_.now();
    if (now < tell_again_) return;
    tell_again_ = now + kTellEvery;
    worker_.house_.journal.tell(
        config::LogLevel::error, 0, "",
        fmt::format("listener {}: {}; new connections wait until descriptors are free "
                    "(see `limits` and the service's LimitNOFILE)",
                    listener_->listener->name, words(error)));
  }

  Worker& worker_;
  int fd_;
  SocketAddress address_;
  std::shared_ptr<WorkerPlan> plan_;
  const ListenerPlan* listener_ = nullptr;  // of plan_
  bool closing_ = false;
  std::optional<Held> held_;
  std::optional<Waiting> waiting_;
  OutOfPatience out_of_patience_{*this};
  loop::Timer patience_{out_of_patience_};
  Instant tell_again_{};
};

Worker::Worker(const Clock& clock, Journal& journal, std::size_t number, std::atomic<std::uint64_t>& ids)
    : reactor_(clock),
      pool_(reactor_, number),
      house_{reactor_, buffers_, connector_,      journal,      desk_,
             pool_,    records_, parent_records_, place_freed_, number},
      ids_(ids),
      plan_(std::make_shared<WorkerPlan>()) {}

Worker::~Worker() {
  doors_.clear();
  while (Connection* connection = connections_.pop_front()) delete connection;
}

// The view of an upstream that stays is kept, so that old connections learn of new targets, too, and
// balancing goes on where it was.
void Worker::take_plan(std::shared_ptr<const Plan> plan,
                       const std::vector<std::shared_ptr<const Targets>>& known) {
  std::unordered_map<const Upstream*, std::shared_ptr<UpstreamView>> views;
  for (auto& view : plan_->upstreams) views.emplace(view->upstream.get(), view);
  auto next = std::make_shared<WorkerPlan>();
  for (std::size_t i = 0; i < plan->upstreams.size(); ++i) {
    auto& view = views[plan->upstreams[i].get()];
    std::uint64_t seed = (house_.worker + 1) * 0x9e3779b97f4a7c15ULL + i;
    if (!view) view = std::make_shared<UpstreamView>(plan->upstreams[i], known[i], seed);

    next->upstreams.push_back(view);
  }
  equip(next->upstreams, *plan, house_.worker);
  for (const std::string& pattern : plan->patterns) {
    auto regex = Regex::compile(pattern);
    CHECK(regex);  // the configuration was refused otherwise
    next->regexes.push_back(std::move(*regex));
  }
  next->plan = std::move(plan);
  plan_ = std::move(next);
  pool_.forget_empty();
  place_freed_.wake_all();  // limits may have been raised
}

void Worker::take_targets(const Upstream& upstream, std::shared_ptr<const Targets> targets) {
  for (auto& view : plan_->upstreams) {
    if (view->upstream.get() != &upstream) continue;
    view->targets = std::move(targets);
    view->news.wake_all();
    return;
  }
}

void Worker::open(int fd, bool shared, const SocketAddress& address, const std::string& listener) {
  for (auto& door : doors_) {
    if (door->fd() == fd) return door->serve(plan_, listener);
  }
  doors_.push_back(std::make_unique<Door>(*this, fd, shared, address, plan_, listener));
}

void Worker::close(int fd) {
  auto door = std::ranges::find_if(doors_, [&](const auto& open) { return open->fd() == fd; });
  if (door == doors_.end()) return;
  (*door)->close();
  doors_.erase(door);
}

void Worker::close_all() {
  for (auto& door : doors_) door->close();
  doors_.clear();
}

void Worker::place_freed() {
  place_freed_.wake_all();
  for (auto& door : doors_) door->retry();
}

void Worker::close_soon() {
  for (Connection* c = connections_.front(); c; c = connections_.after(*c)) c->close_soon();
}

void Worker::cut_banned() {
  const guard::BanRules& rules = plan_->plan->ban_rules;
  for (Connection* c = connections_.front(); c; c = connections_.after(*c)) {
    bool banned = rules.bars(c->whom().ip(), house_.worker, reactor_.now());
    bool known = c->facts().stage != Stage::proxy_header;
    if (banned && known && !c->serves_requests()) c->cut(Errc::banned, "looking at the bans");
  }
}

void Worker::cut_all(Errc why, const char* doing) {
  for (Connection* c = connections_.front(); c; c = connections_.after(*c)) c->cut(why, doing);
}

Facts Worker::facts_of(const ListenerPlan& listener, int fd, const SocketAddress& peer,
                       const SocketAddress& bound) {
  Facts facts;
  facts.id = ids_.fetch_add(1, std::memory_order_relaxed);
  facts.peer = facts.client = peer;
  facts.destination = bound;
  if (listener.tells_destination && !bound.is_unix() && bound.ip().is_unspecified()) {
    facts.destination = net::local_address(fd);
  }
  facts.accepted = reactor_.now();
  facts.accepted_wall = reactor_.wall();
  return facts;
}

void Worker::serve(const std::shared_ptr<WorkerPlan>& plan, const ListenerPlan& listener, Fd fd, Facts facts,
                   Places places) {
  auto stream = net::TcpStream::adopt(reactor_, std::move(fd));
  if (!stream) return tell_refused(*plan->plan, listener, facts, stream.error());
  auto* connection =
      new Connection(house_, *this, plan, listener, std::move(*stream), std::move(facts), std::move(places));
  connections_.push_back(*connection);
  count_.store(count_ + 1, std::memory_order_relaxed);
  connection->begin();
}

void Worker::tell_refused(const Plan& plan, const ListenerPlan& listener, const Facts& facts,
                          const Error& why) {
  note_event(house_, facts, plan, why);
  listener.nobody->row(house_.worker).outcomes[static_cast<std::size_t>(why.code)].add(1);
  write_access_line(house_, {.facts = facts,
                             .listener = listener,
                             .site = nullptr,
                             .plan = plan,
                             .endpoint = nullptr,
                             .bytes_up = 0,
                             .bytes_down = 0,
                             .end = {why, why.side}});
}

void Worker::connection_over(Connection& connection) {
  count_.store(count_ - 1, std::memory_order_relaxed);
  delete &connection;
}

}  // namespace lockgate::proxy
