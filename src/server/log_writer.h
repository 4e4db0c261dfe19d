// LogWriter: the thread that writes all logs, so that no other ever waits for a disk, a
// pipe or syslog.
//
// It empties the rings of all threads in batches, at most every kBatch while there are
// lines, and sleeps otherwise. The process owns it and calls its methods on one thread;
// the producers belong to the threads that they are given to. It starts as soon as
// privileges are settled; lines from before that wait in the rings.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "server/journal.h"
#include "server/log_destination.h"
#include "server/log_producer.h"

namespace lockgate::server {

/// Lines lost so far, by reason.
struct LinesDropped {
  std::uint64_t ring_full = 0;  // the writer did not keep up
  std::uint64_t slow = 0;       // the reader of a destination did not keep up
  std::uint64_t failed = 0;     // a destination could not be opened or written
  std::uint64_t total() const { return ring_full + slow + failed; }
};

class LogWriter {
 public:
  static constexpr Duration kBatch = std::chrono::milliseconds(20);

  /// What it has to tell of its own goes to the error log as `rules` say, or to stderr if that is what fails.
  LogWriter(const Clock& clock, const LogRules& rules, std::size_t producers);
  /// Stops, as with stop().
  ~LogWriter();

  /// To be called once, before lines are expected anywhere.
  void start();
  /// Writes what there is, waiting for slow readers at most so long, and ends the thread.
  void stop(Duration longest = std::chrono::seconds(2));

  /// Producer `number`, from 0, for one thread of the caller's choice.
  LogProducer& producer(std::size_t number) { return *producers_[number]; }

  /// The number of a target, the same for equal targets; also while running. It is opened at the first line,
  /// and again every second if that fails: ask can_open() before. `off` is proxy::kNoLog.
  std::uint16_t target_for(const config::LogTarget& target);
  /// Closes all targets but these, once the lines for them are written. A number stays its target's.
  void close_unused(const std::vector<std::uint16_t>& used);
  /// Has every file opened anew by its name, once the lines before are written. Any thread.
  void reopen();

  /// Any thread.
  LinesDropped lines_dropped() const;

 private:
  struct Known {
    config::LogTarget target;
    bool open = true;
  };
  struct Order {
    std::uint16_t target;
    bool open;  // else close
    config::LogTarget what;
  };

  void send(Order order);
  // The rest is the writer thread's.
  void run();
  void take_orders();
  bool drain();
  bool drain(LineRing& ring);
  LogDestination* destination(std::uint16_t target);
  void flush(Instant now);
  void reopen_files();
  void close_closing();
  void tell(std::size_t about, const LogDestination::News& news);
  bool nothing_to_wait_for();
  void wait(bool busy);

  const Clock& clock_;
  const LogRules& rules_;
  LogWake wake_;
  std::vector<std::unique_ptr<LogProducer>> producers_;
  LogProducer own_{wake_, 64 * 1024};  // for the writer's own messages
  Journal journal_{own_, rules_, clock_};
  std::vector<Known> known_;  // by number; the process's thread
  std::uint16_t standard_error_;

  std::mutex mutex_;
  std::vector<Order> orders_;  // under mutex_
  std::atomic<bool> reopen_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<Instant> stop_at_ = kNever;
  LostLines lost_;

  std::vector<std::unique_ptr<LogDestination>> destinations_;  // by number
  std::vector<std::uint16_t> closing_;
  std::thread thread_;
};

}  // namespace lockgate::server
