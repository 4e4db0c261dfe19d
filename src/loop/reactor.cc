#include "loop/reactor.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace lockgate::loop {
namespace {

constexpr int kEventsPerTurn = 256;
constexpr Duration kLongestWait = std::chrono::minutes(1);

}  // namespace

Reactor::Reactor(const Clock& clock)
    : clock_(clock), now_(clock.now()), epoll_(::epoll_create1(EPOLL_CLOEXEC)), timers_(now_) {
  CHECK(epoll_);
  CHECK(watch(mailbox_.descriptor(), mailbox_watch_, EPOLLIN | EPOLLET));
}

bool Reactor::watch(int fd, Watched& watched, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  return ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Reactor::change(int fd, Watched& watched, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &watched}};
  CHECK(::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, fd, &event) == 0);
}

void Reactor::forget(int fd) { ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::turn(Duration longest) {
  std::array<epoll_event, kEventsPerTurn> events;
  int count = ::epoll_wait(epoll_.number(), events.data(), kEventsPerTurn, wait_milliseconds(longest));
  now_ = clock_.now();
  for (int i = 0; i < count; ++i) {
    auto& event = events[static_cast<std::size_t>(i)];
    static_cast<Watched*>(event.data.ptr)->edges(event.events);
  }
  timers_.advance(now_, ready_);
  run_ready();
}

void Reactor::run() {
  while (!stopped_.load(std::memory_order_relaxed)) turn(kLongestWait);
}

void Reactor::stop() {
  post([this] { stopped_.store(true, std::memory_order_relaxed); });
}

int Reactor::wait_milliseconds(Duration longest) const {
  if (!ready_.empty() || longest <= Duration::zero()) return 0;
  Instant next = timers_.next();
  Duration wait = next == kNever ? longest : std::min(longest, next - now_);
  auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, Duration::zero()));
  return static_cast<int>(milliseconds.count());
}

// What is enqueued while running waits for the next turn, so that no connection that keeps itself busy can
// keep the others from their events.
void Reactor::run_ready() {
  List<Runnable> running;
  running.take_all(ready_);
  while (Runnable* next = running.pop_front()) next->run();
}

}  // namespace lockgate::loop
