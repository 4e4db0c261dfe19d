// Reactor: one thread's waiting. Edge-triggered epoll, timers, a mailbox and the
// queue of what is ready.
//
// A turn: wait, tell each socket its edges, expire timers, run what became ready.
// Nothing but the last step runs code of others, and one clock reading serves the
// whole turn. All methods belong to the reactor's thread, except post() and stop().
#pragma once
#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "loop/mailbox.h"
#include "loop/runnable.h"
#include "loop/timers.h"

namespace lockgate::loop {

/// A descriptor's owner, told of the edges that epoll saw. It notes them and enqueues; it destroys nothing.
class Watched {
 public:
  virtual void edges(std::uint32_t events) = 0;

 protected:
  ~Watched() = default;
};

class Reactor {
 public:
  explicit Reactor(const Clock& clock);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// The time at which this turn began.
  Instant now() const { return now_; }
  /// Wall time, for people.
  WallTime wall() const { return clock_.wall(); }

  /// Registers for the life of the descriptor: closing it is what ends the registration.
  bool watch(int fd, Watched& watched, std::uint32_t events);
  /// Changes the events of a registration; with none, it sleeps.
  void change(int fd, Watched& watched, std::uint32_t events);
  /// Ends the registration of a descriptor that stays open.
  void forget(int fd);

  /// Has it run in its turn; one that waits for its turn already keeps its place.
  void enqueue(Runnable& runnable) {
    if (!runnable.linked()) ready_.push_back(runnable);
  }
  void start(Timer& timer, Instant deadline) { timers_.start(timer, deadline); }

  /// Any thread.
  void post(Letter letter) { mailbox_.post(std::move(letter)); }

  /// Waits at most `longest` for events and does what they call for.
  void turn(Duration longest);
  /// Turns until stop().
  void run();
  /// Any thread.
  void stop();

 private:
  class MailboxWatch final : public Watched, public Runnable {
   public:
    explicit MailboxWatch(Reactor& reactor) : reactor_(reactor) {}
    void edges(std::uint32_t) override { reactor_.enqueue(*this); }
    void run() override { reactor_.mailbox_.deliver(); }

   private:
    Reactor& reactor_;
  };

  int wait_milliseconds(Duration longest) const;
  void run_ready();

  const Clock& clock_;
  Instant now_;
  Fd epoll_;
  Timers timers_;
  List<Runnable> ready_;
  Mailbox mailbox_;
  MailboxWatch mailbox_watch_{*this};
  std::atomic<bool> stopped_ = false;
};

}  // namespace lockgate::loop
