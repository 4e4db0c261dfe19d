// Signals, as events of the process's reactor.
//
// They are blocked in every thread from the start and read from a descriptor, so no
// code of ours ever runs inside a signal handler.
#pragma once
#include "base/fd.h"
#include "loop/reactor.h"

namespace lockgate::server {

/// Blocks the signals that Signals reads, for this thread and all that it will start.
void block_signals();

class SignalOwner {
 public:
  virtual void signalled(int number) = 0;

 protected:
  ~SignalOwner() = default;
};

class Signals final : private loop::Watched, private loop::Runnable {
 public:
  /// SIGHUP, SIGUSR1, SIGTERM and SIGINT are told to `owner`, each in a turn of its own.
  Signals(loop::Reactor& reactor, SignalOwner& owner);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void edges(std::uint32_t events) override;
  void run() override;

  loop::Reactor& reactor_;
  SignalOwner& owner_;
  Fd fd_;
};

}  // namespace lockgate::server
