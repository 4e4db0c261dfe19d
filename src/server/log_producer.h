// LogProducer: one thread's way into the log, a ring that the writer thread empties.
//
// Each thread that logs has its own. It never waits: what a full ring cannot take is
// counted. The writer sleeps when it has nothing to do; the first line wakes it.
#pragma once
#include <sys/eventfd.h>

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/fd.h"
#include "base/line_ring.h"
#include "config/config.h"

namespace lockgate::server {

/// How the writer thread is woken. Any thread may call wake() and wake_sleeper().
class LogWake {
 public:
  LogWake() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_); }

  void wake() { eventfd_write(event_.number(), 1); }
  /// Costs nothing but a look while the writer is awake, and one system call per sleep of it.
  void wake_sleeper() {
    if (asleep_.load() && asleep_.exchange(false)) wake();
  }

  /// The writer: between these two it is woken by wake_sleeper(). It looks at its rings once more after the
  /// first.
  void going_to_sleep() { asleep_.store(true); }
  void awake() { asleep_.store(false); }
  /// The writer: readable once woken, until it is cleared.
  int descriptor() const { return event_.number(); }
  void clear() {
    eventfd_t count = 0;
    eventfd_read(event_.number(), &count);
  }

 private:
  Fd event_;
  std::atomic<bool> asleep_ = false;
};

class LogProducer {
 public:
  static constexpr std::size_t kCapacity = 1024 * 1024;

  explicit LogProducer(LogWake& wake, std::size_t capacity = kCapacity) : wake_(wake), ring_(capacity) {}

  /// The producing thread: hands over a line, its newline included; false, and counted, if there is no room.
  /// The level matters to syslog only.
  bool line(std::uint16_t target, config::LogLevel level, std::string_view line) {
    bool taken = ring_.push(target, static_cast<std::uint8_t>(level), line);
    wake_.wake_sleeper();
    return taken;
  }

  /// The writer's end.
  LineRing& ring() { return ring_; }
  const LineRing& ring() const { return ring_; }

 private:
  LogWake& wake_;
  LineRing ring_;
};

}  // namespace lockgate::server
