// How a task waits: for an event with a deadline, for a time, or for its next turn.
//
// A WaitSlot is where tasks wait for one event, in the order of their coming; who
// makes the event happen calls wake(). The wait is a node inside the task's frame
// and unlinks itself when the frame is destroyed, so cancelling needs no word to
// anybody.
#pragma once
#include <coroutine>

#include "base/list.h"
#include "loop/reactor.h"

namespace lockgate::loop {

class Wait;

class WaitSlot {
 public:
  /// Lets the task that has waited longest go on, in a coming turn; nothing if none waits.
  void wake();
  void wake_all();
  bool taken() const { return !waiting_.empty(); }

 private:
  friend class Wait;
  List<Wait> waiting_;
};

/// `bool woken = co_await Wait(reactor, slot, deadline)`: false if the deadline passed first.
class [[nodiscard]] Wait final : public Runnable {
 public:
  Wait(Reactor& reactor, WaitSlot& slot, Instant deadline)
      : reactor_(reactor), slot_(slot), deadline_(deadline), timer_(*this) {}
  Wait(Wait&&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) noexcept {
    task_ = task;
    slot_.waiting_.push_back(*this);
    reactor_.start(timer_, deadline_);
  }
  bool await_resume() const noexcept { return woken_; }

  void run() override { task_.resume(); }

 private:
  friend class WaitSlot;
  void wake() {
    woken_ = true;
    timer_.stop();
    reactor_.enqueue(*this);
  }

  Reactor& reactor_;
  WaitSlot& slot_;
  Instant deadline_;
  Timer timer_;
  std::coroutine_handle<> task_;
  bool woken_ = false;
};

inline void WaitSlot::wake() {
  if (Wait* first = waiting_.pop_front()) first->wake();
}
inline void WaitSlot::wake_all() {
  while (taken()) wake();
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

/// `co_await NextTurn(reactor)`: whatever else is ready goes first.
class [[nodiscard]] NextTurn final : public Runnable {
 public:
  explicit NextTurn(Reactor& reactor) : reactor_(reactor) {}
  NextTurn(NextTurn&&) = delete;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> task) noexcept {
    task_ = task;
    reactor_.enqueue(*this);
  }
  void await_resume() const noexcept {}
  void run() override { task_.resume(); }

 private:
  Reactor& reactor_;
  std::coroutine_handle<> task_;
};

}  // namespace lockgate::loop
