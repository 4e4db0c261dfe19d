#include "proxy/worker.h"

#include <fmt/core.h>

#include <algorithm>

#include "net/tcp.h"
#include "proxy/access_log.h"

namespace lockgate::proxy {

// One listening socket, as this worker accepts from it. When a limit says "queue", the connection that came one
// too many is held here and the rest wait in the backlog.
class Worker::Door final : public net::Acceptor {
 public:
  Door(Worker& worker, int fd, bool shared, SocketAddress address, std::string listener)
      : Acceptor(worker.reactor_, fd, shared),
        worker_(worker),
        fd_(fd),
        address_(std::move(address)),
        listener_(std::move(listener)) {}

  int fd() const { return fd_; }
  void serve(const std::string& listener) { listener_ = listener; }
  /// Admits the held connection if there is room now.
  void retry() {
    if (!held_) return;
    Held held = std::move(*held_);
    held_.reset();
    waiting_.reset();
    resume();
    admit(std::move(held));
  }

 private:
  struct Held {
    Fd fd;
    SocketAddress peer;
  };

  void accepted(Fd fd, const SocketAddress& peer) override { admit({std::move(fd), peer}); }

  void admit(Held held) {
    const Plan& plan = *worker_.plan_->plan;
    const ListenerPlan* listener = plan.listener(listener_);
    if (!listener) return;  // its listener has just gone
    Places places;
    bool room = enter(plan.gate, plan.config->limit, held, places.process) &&
                enter(listener->gate, listener->listener->limit, held, places.listener);
    if (held_) return;
    Facts facts = worker_.facts_of(*listener, held.fd.number(), held.peer, address_);
    if (!room) return worker_.refuse_full(*listener, facts, {.code = Errc::limited, .doing = "accepting"});
    worker_.serve(*listener, std::move(held.fd), std::move(facts), std::move(places));
  }

  bool enter(const std::shared_ptr<Gate>& gate, const config::ConnectionLimit& limit, Held& held, Place& place) {
    if (!gate) return true;
    std::optional<Waiting> waiting;
    if (limit.when_full == config::WhenFull::queue) waiting.emplace(*gate);
    if (gate->enter()) {
      place = Place(*gate);
      return true;
    }
    if (limit.when_full == config::WhenFull::queue) {
      waiting_.emplace(*gate);
      held_.emplace(std::move(held));
      pause();
    }
    return false;
  }

  void accept_failed(const Error& error) override {
    constexpr Duration kTellEvery = std::chrono::seconds(1);
    Instant now = worker_.reactor_.now();
    if (now < tell_again_) return;
    tell_again_ = now + kTellEvery;
    worker_.house_.journal.tell(config::LogLevel::error, 0, "",
                                fmt::format("listener {}: {}; new connections wait until descriptors are free "
                                            "(see `limits` and the service's LimitNOFILE)",
                                            listener_, words(error)));
  }

  Worker& worker_;
  int fd_;
  SocketAddress address_;
  std::string listener_;
  std::optional<Held> held_;
  std::optional<Waiting> waiting_;
  Instant tell_again_{};
};

Worker::Worker(const Clock& clock, Journal& journal, std::size_t number, std::atomic<std::uint64_t>& ids)
    : reactor_(clock),
      house_{reactor_, buffers_, connector_, journal, place_freed_, number},
      ids_(ids),
      plan_(std::make_shared<WorkerPlan>()) {}

Worker::~Worker() {
  doors_.clear();
  while (Connection* connection = connections_.pop_front()) delete connection;
}

void Worker::take_plan(std::shared_ptr<const Plan> plan, const std::vector<std::shared_ptr<const Targets>>& known) {
  auto next = std::make_shared<WorkerPlan>();
  for (std::size_t i = 0; i < plan->upstreams.size(); ++i) {
    std::uint64_t seed = (house_.worker + 1) * 0x9e3779b97f4a7c15ULL + i;
    next->upstreams.push_back(std::make_unique<UpstreamView>(plan->upstreams[i], known[i], seed));
  }
  next->plan = std::move(plan);
  plan_ = std::move(next);
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
    if (door->fd() == fd) return door->serve(listener);
  }
  doors_.push_back(std::make_unique<Door>(*this, fd, shared, address, listener));
}

void Worker::close(int fd) {
  auto door = std::ranges::find_if(doors_, [&](const auto& open) { return open->fd() == fd; });
  if (door == doors_.end()) return;
  (*door)->drain();
  doors_.erase(door);
}

void Worker::close_all() {
  for (auto& door : doors_) door->drain();
  doors_.clear();
}

void Worker::place_freed() {
  place_freed_.wake_all();
  for (auto& door : doors_) door->retry();
}

void Worker::cut_all(Errc why, const char* doing) {
  for (Connection* c = connections_.front(); c; c = connections_.after(*c)) c->cut(why, doing);
}

Facts Worker::facts_of(const ListenerPlan& listener, int fd, const SocketAddress& peer, const SocketAddress& bound) {
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

void Worker::serve(const ListenerPlan& listener, Fd fd, Facts facts, Places places) {
  auto stream = net::TcpStream::adopt(reactor_, std::move(fd));
  if (!stream) return refuse_full(listener, facts, stream.error());
  auto* connection = new Connection(house_, *this, plan_, listener, std::move(*stream), std::move(facts), std::move(places));
  connections_.push_back(*connection);
  count_.store(count_ + 1, std::memory_order_relaxed);
  connection->begin();
}

void Worker::refuse_full(const ListenerPlan& listener, const Facts& facts, const Error& why) {
  listener.nobody->row(house_.worker).outcomes[static_cast<std::size_t>(why.code)].add(1);
  write_access_line(house_, {.facts = facts,
                             .listener = listener,
                             .site = nullptr,
                             .plan = *plan_->plan,
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
