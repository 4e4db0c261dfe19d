#include "proxy/queue.h"

#include <algorithm>

namespace lockgate::proxy {

Queue::Waiter::~Waiter() {
  if (!linked()) return;
  unlink();
  queue_->left();
}

void Queue::join(Waiter& waiter, const std::shared_ptr<const Targets>& targets) {
  waiter.queue_ = this;
  waiting_.push_back(waiter);
  watch(targets);
  let_in();  // a place may have come free before its gate was watched
  if (waiting_.empty() || served_) return;
  served_ = true;
  scope_.spawn(serve());
}

void Queue::watch(const std::shared_ptr<const Targets>& targets) {
  if (std::ranges::find(watched_, targets) != watched_.end()) return;
  watched_.push_back(targets);
  for (const Target& target : *targets) marks_.emplace_back(target.endpoint->gate());
}

// If there is no place for somebody who would take any, there is none for all others like that.
void Queue::let_in() {
  bool full = false;
  for (Waiter *waiter = waiting_.front(), *next = nullptr; waiter; waiter = next) {
    next = waiting_.after(*waiter);
    bool choosy = waiter->is_choosy();
    if (full && !choosy) continue;
    if (waiter->take_place()) {
      waiter->unlink();
      waiter->let_in_ = true;
      waiter->called_.wake();
    } else if (!choosy) {
      full = true;
    }
  }
  left();
}

// As long as anybody waits. Endpoints come back and go, too, of which nobody tells.
loop::Task<void> Queue::serve() {
  constexpr Duration kLookEvery = std::chrono::seconds(1);
  while (!waiting_.empty()) {
    loop::Wait wait(reactor_, place_freed_, reactor_.now() + kLookEvery);
    co_await wait;
    let_in();
  }
  served_ = false;
}

void Queue::left() {
  if (!waiting_.empty()) return;
  marks_.clear();
  watched_.clear();
}

}  // namespace lockgate::proxy
