// systemd: the two things it tells a service through the environment, without its
// library: sockets that are already listening, and where to say how the service is.
//
// Both take their variables out of the environment, so that they are read once, at the
// start, by the process's thread and before there are others. Without systemd there are
// no sockets, and what is said goes nowhere. See sd_listen_fds(3) and sd_notify(3).
#pragma once
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"

namespace lockgate::server {

/// Sockets handed over, by FileDescriptorName=; one name may have several.
using ActivatedSockets = std::map<std::string, std::vector<Fd>>;

/// Takes the sockets of LISTEN_FDS if they are meant for this process, made non-blocking and closed on exec.
/// The error is a sentence: one of them is no stream socket that listens.
std::expected<ActivatedSockets, std::string> take_activated_sockets();

/// Tells the service manager how this process is. It never waits.
class ServiceNotifier {
 public:
  /// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static ServiceNotifier from_environment();

  /// Started, or done with reloading: failing here, systemd ends a service of Type=notify after a while.
  Result<void> ready(std::string_view status) const;
  /// For Type=notify-reload, too; ready() ends it. `now` is of the monotonic clock.
  Result<void> reloading(Instant now) const;
  Result<void> stopping(std::string_view status) const;
  /// One line about what it is doing, for `systemctl status`.
  Result<void> status(std::string_view status) const;
  Result<void> alive() const { return send("WATCHDOG=1"); }

  /// How often to call alive(): half of what the manager waits; zero if it does not watch.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  Result<void> send(std::string_view state) const;

  Fd socket_;
  std::string address_;  // a path, or an abstract name behind '@'; empty: nobody listens
  Duration watchdog_interval_{};
};

}  // namespace lockgate::server
