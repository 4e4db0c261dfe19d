// How a task waits: for one event with a deadline, or for a time.
//
// A WaitSlot is the place where at most one task waits; whoever makes the event
// happen calls wake(). The wait is a node inside the task's frame and unlinks
// itself when the frame is destroyed, so cancelling needs no word to anybody.
#pragma once
#include <coroutine>

#include "base/check.h"
#include "loop/reactor.h"

namespace lockgate::loop {

class Wait;

class WaitSlot {
 public:
  WaitSlot() = default;
  WaitSlot(const WaitSlot&) = delete;
  WaitSlot& operator=(const WaitSlot&) = delete;
  ~WaitSlot();
  /// Lets the waiting task go on in this turn or the next; nothing if none waits.
  void wake();
  bool taken() const { return waiting_ != nullptr; }

 private:
  friend class Wait;
  Wait* waiting_ = nullptr;
};

/// `bool woken = co_await Wait(reactor, slot, deadline)`: false if the deadline passed first.
class [[nodiscard]] Wait final : public Runnable {
 public:
  Wait(Reactor& reactor, WaitSlot& slot, Instant deadline)
      : reactor_(reactor), slot_(&slot), deadline_(deadline), timer_(*this) {}
  Wait(Wait&&) = delete;
  ~Wait() { leave(); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) noexcept {
    CHECK(!slot_->taken());
    slot_->waiting_ = this;
    task_ = task;
    if (deadline_ != kNever) reactor_.start(timer_, deadline_);
  }
  bool await_resume() const noexcept { return woken_; }

  void run() override {
    leave();
    task_.resume();
  }

 private:
  friend class WaitSlot;
  void wake() {
    woken_ = true;
    leave();
    reactor_.enqueue(*this);
  }
  void leave() {
    timer_.stop();
    if (slot_ && slot_->waiting_ == this) slot_->waiting_ = nullptr;
  }

  Reactor& reactor_;
  WaitSlot* slot_;
  Instant deadline_;
  Timer timer_;
  std::coroutine_handle<> task_;
  bool woken_ = false;
};

inline void WaitSlot::wake() {
  if (waiting_) waiting_->wake();
}
inline WaitSlot::~WaitSlot() {
  if (waiting_) waiting_->slot_ = nullptr;
}

/// `co_await Sleep(reactor, until)`.
class [[nodiscard]] Sleep final : public Runnable {
 public:
  Sleep(Reactor& reactor, Instant until) : reactor_(reactor), until_(until), timer_(*this) {}
  Sleep(Sleep&&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) noexcept {
    task_ = task;
    reactor_.start(timer_, until_);
  }
  void await_resume() const noexcept {}
  void run() override { task_.resume(); }

 private:
  Reactor& reactor_;
  Instant until_;
  Timer timer_;
  std::coroutine_handle<> task_;
};

}  // namespace lockgate::loop
