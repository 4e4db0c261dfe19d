// LogDestination: one place where log lines end up, with the lines that wait for it.
//
// The writer thread's. It never waits for a reader: what a pipe, terminal or syslog does
// not take now stays in a bounded buffer, and what that cannot hold is lost and counted.
// A failure (a full disk, a closed pipe) is tried again every second. A line is written
// whole or, in a file, completed before the next one.
#pragma once
#include <atomic>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "config/config.h"

namespace lockgate::server {

/// Lines that will never be read, by what is to blame. Written by the writer thread, read by any.
struct LostLines {
  std::atomic<std::uint64_t> slow = 0;    // the reader of a pipe, or syslog, did not keep up
  std::atomic<std::uint64_t> failed = 0;  // the destination could not be opened or written
};

class LogDestination {
 public:
  /// Bytes that may wait.
  static constexpr std::size_t kRoom = 256 * 1024;

  /// `target` is not `off`; a syslog target with a path is the socket there instead of /dev/log.
  LogDestination(config::LogTarget target, LostLines& lost) : target_(std::move(target)), lost_(lost) {}

  /// Adds a line, which ends in a newline, to what waits. It is lost if there is no room even after flush().
  void append(config::LogLevel level, std::string_view line, Instant now, WallTime wall);
  /// Writes what can be written without waiting.
  void flush(Instant now);
  /// Opens a file anew by its name, as after a rotation. If that fails, the old one stays in use; the error
  /// says why.
  std::expected<void, std::string> reopen();
  /// Gives up all that waits.
  void lose_all();

  bool empty() const { return head_ == waiting_.size(); }
  /// The last flush() found a reader that was not ready.
  bool blocked() const { return blocked_; }
  /// It cannot be opened or written at present.
  bool failing() const { return failure_ != 0; }

  struct News {
    bool good = false;
    std::string sentence;
  };
  /// What the operator should be told since the last call: that writing fails or lines are lost, once, and
  /// that it works again.
  std::optional<News> news();

 private:
  bool open();
  bool write_next();
  std::string_view next_chunk() const;
  void wrote(std::size_t size);
  void fail(int error, Instant now);
  void lose_first();
  void lose_line(std::atomic<std::uint64_t>& counter);

  config::LogTarget target_;
  LostLines& lost_;
  Fd fd_;
  bool at_once_ = false;  // a regular file: takes any size and never makes us wait for a reader
  std::string waiting_;   // from head_ on
  std::size_t head_ = 0;
  bool torn_ = false;  // the line at head_ has been written in part
  bool blocked_ = false;
  int failure_ = 0;  // an errno value
  Instant retry_at_{};
  bool told_ = false;
  std::uint64_t lost_since_good_ = 0;
};

/// Whether lines can be written there now; the error is a sentence for the operator.
std::expected<void, std::string> can_open(const config::LogTarget& target);

}  // namespace lockgate::server
