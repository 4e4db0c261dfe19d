#include "server/log_destination.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <system_error>
#include <utility>

#include "base/address.h"
#include "config/values.h"

namespace lockgate::server {
namespace {

using Kind = config::LogTarget::Kind;
constexpr Duration kRetryAfter = std::chrono::seconds(1);

std::string reason(int error) { return std::generic_category().message(error); }

Fd open_syslog(const std::string& path) {
  sockaddr_storage address;
  socklen_t size = SocketAddress::unix_path(path.empty() ? "/dev/log" : path).to_system(address);
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.number(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  return {};
}

// No descriptor, and errno, if it fails. A pipe without a reader is one that fails, not one that waits.
Fd open_target(const config::LogTarget& target) {
  const mode_t mode = target.secret ? 0600 : 0640;
  switch (target.kind) {
    case Kind::off:
      break;
    case Kind::standard_output:
      return Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    case Kind::standard_error:
      return Fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    case Kind::syslog:
      return open_syslog(target.path);
    case Kind::file:
      return Fd(::open(target.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                       mode));
  }
  errno = EINVAL;
  return {};
}

bool is_same_file(int a, int b) {
  struct stat one, other;
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool is_regular_file(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

// What syslog wants before the message, as the C library writes it (RFC 3164, 4.1).
std::string syslog_header(config::LogLevel level, WallTime wall) {
  constexpr int kDaemon = 3;
  constexpr std::array kSeverities = {3, 4, 6, 7};  // error, warning, informational, debug
  std::time_t seconds = wall / 1'000'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("<{}>{:%b %e %H:%M:%S} lockgate[{}]: ",
                     kDaemon * 8 + kSeverities[static_cast<std::size_t>(level)], local, ::getpid());
}

}  // namespace

void LogDestination::append(config::LogLevel level, std::string_view line, Instant now, WallTime wall) {
  std::string header = target_.kind == Kind::syslog ? syslog_header(level, wall) : std::string();
  std::size_t size = header.size() + line.size() + 1;
  if (waiting_.size() - head_ + size > kRoom) flush(now);
  if (waiting_.size() - head_ + size > kRoom) return lose_line(failing() ? lost_.failed : lost_.slow);
  if (waiting_.size() + size > 2 * kRoom) waiting_.erase(0, std::exchange(head_, 0));
  waiting_ += header;
  waiting_ += line;
  if (!line.ends_with('\n')) waiting_ += '\n';
}

void LogDestination::flush(Instant now) {
  if (failing() && now < retry_at_) return;
  blocked_ = false;
  if (empty() && !failing()) return;
  if (!fd_ && !open()) return fail(errno, now);
  while (!empty()) {
    if (write_next()) continue;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != ENOBUFS) return fail(errno, now);
    blocked_ = true;
    break;
  }
  failure_ = 0;
}

std::expected<void, std::string> LogDestination::reopen() {
  retry_at_ = {};
  if (target_.kind != Kind::file || !fd_) return {};
  Fd fresh = open_target(target_);
  if (!fresh) {
    return std::unexpected(fmt::format("the log {} cannot be opened again: {}; the old file stays in use",
                                       target_.path, reason(errno)));
  }
  if (is_same_file(fresh.number(), fd_.number())) return {};
  if (torn_) lose_first();  // its beginning is in the old file, where nothing follows
  at_once_ = is_regular_file(fresh.number());
  fd_ = std::move(fresh);
  return {};
}

void LogDestination::lose_all() {
  while (!empty()) lose_first();
}

std::optional<LogDestination::News> LogDestination::news() {
  std::string name = config::value_text(target_, {});
  if (!told_ && failing()) {
    told_ = true;
    return News{
        .good = false,
        .sentence = fmt::format("the log {} cannot be written: {}; it is tried again every second, and "
                                "lines beyond {} KiB are lost",
                                name, reason(failure_), kRoom / 1024)};
  }
  if (!told_ && lost_since_good_ > 0) {
    told_ = true;
    return News{.good = false,
                .sentence = fmt::format("the log {} is read too slowly: lines are lost", name)};
  }
  if (told_ && !failing() && empty()) {
    told_ = false;
    return News{.good = true,
                .sentence = fmt::format("the log {} is written again; {} lines were lost", name,
                                        std::exchange(lost_since_good_, 0))};
  }
  return {};
}

bool LogDestination::open() {
  fd_ = open_target(target_);
  if (!fd_) return false;
  at_once_ = is_regular_file(fd_.number());
  return true;
}

// False, and errno, if nothing could be written now.
bool LogDestination::write_next() {
  std::string_view chunk = next_chunk();
  if (target_.kind == Kind::syslog) {
    ssize_t sent = ::send(fd_.number(), chunk.data(), chunk.size() - 1, MSG_NOSIGNAL);  // without the newline
    if (sent < 0 && errno != EMSGSIZE) return false;
    wrote(chunk.size());
    if (sent < 0) lose_line(lost_.failed);
    return true;
  }
  // The descriptor may be shared with other programs, so it is not made non-blocking: a pipe that is ready
  // takes PIPE_BUF bytes at once (pipe(7)), and so do terminals and sockets in practice.
  if (!at_once_) {
    pollfd ready{.fd = fd_.number(), .events = POLLOUT, .revents = 0};
    if (::poll(&ready, 1, 0) == 0) errno = EAGAIN;
    if (ready.revents == 0) return false;
  }
  ssize_t written = ::write(fd_.number(), chunk.data(), chunk.size());
  if (written < 0) return false;
  wrote(static_cast<std::size_t>(written));
  return true;
}

// As much as may be written in one call: all for a file, a line for syslog, else as many whole lines as are
// written without another program's coming in between.
std::string_view LogDestination::next_chunk() const {
  std::string_view waiting = std::string_view(waiting_).substr(head_);
  if (target_.kind == Kind::syslog) return waiting.substr(0, waiting.find('\n') + 1);
  if (at_once_ || waiting.size() <= PIPE_BUF) return waiting;
  std::size_t lines = waiting.rfind('\n', PIPE_BUF - 1);
  return waiting.substr(0, lines == std::string_view::npos ? PIPE_BUF : lines + 1);
}

void LogDestination::wrote(std::size_t size) {
  if (size == 0) return;
  head_ += size;
  torn_ = waiting_[head_ - 1] != '\n';
  if (!empty()) return;
  waiting_.clear();
  head_ = 0;
}

void LogDestination::fail(int error, Instant now) {
  failure_ = error;
  retry_at_ = now + kRetryAfter;
  if (at_once_) return;     // the rest of a torn line is written once there is room again
  if (torn_) lose_first();  // who reads next shall not begin in the middle of a line
  fd_.reset();
}

void LogDestination::lose_first() {
  wrote(waiting_.find('\n', head_) + 1 - head_);
  lose_line(failing() ? lost_.failed : lost_.slow);
}

void LogDestination::lose_line(std::atomic<std::uint64_t>& counter) {
  ++lost_since_good_;
  counter.fetch_add(1, std::memory_order_relaxed);
}

std::expected<void, std::string> can_open(const config::LogTarget& target) {
  if (target.kind == Kind::off || open_target(target)) return {};
  return std::unexpected(
      fmt::format("the log {} cannot be opened: {}", config::value_text(target, {}), reason(errno)));
}

}  // namespace lockgate::server
