#include "server/systemd.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace lockgate::server {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START

// The value of a variable, which is then taken out of the environment.
std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value ? value : "";
  ::unsetenv(name);
  return taken;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
  return value;
}

bool is_this_process(const std::string& pid) { return number(pid) == std::int64_t{::getpid()}; }

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> split;
  while (true) {
    std::size_t colon = names.find(':');
    split.emplace_back(names.substr(0, colon));
    if (colon == std::string_view::npos) return split;
    names.remove_prefix(colon + 1);
  }
}

int socket_option(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool adopt(int fd) {
  if (socket_option(fd, SO_TYPE) != SOCK_STREAM || socket_option(fd, SO_ACCEPTCONN) != 1) return false;
  return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
         ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0;
}

// A status is one line; more would be read as other variables.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

}  // namespace

std::expected<ActivatedSockets, std::string> take_activated_sockets() {
  std::string pid = take_variable("LISTEN_PID"), count = take_variable("LISTEN_FDS");
  std::vector<std::string> names = split_names(take_variable("LISTEN_FDNAMES"));
  ActivatedSockets sockets;
  if (!is_this_process(pid)) return sockets;
  constexpr std::int64_t kMost = 65536;
  auto most = number(count);
  if (!most || *most > kMost) {
    return std::unexpected(
        fmt::format("LISTEN_FDS is \"{}\", but must be the number of sockets passed", count));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(*most); ++i) {
    int fd = kFirstDescriptor + static_cast<int>(i);
    const std::string name =
        i < names.size() && !names[i].empty() ? names[i] : "unknown";  // as in sd_listen_fds
    if (!adopt(fd)) {
      return std::unexpected(
          fmt::format("the socket \"{}\" passed by systemd (descriptor {}) is no stream socket that listens: "
                      "its unit needs "
                      "ListenStream= and Accept=no",
                      name, fd));
    }
    sockets[name].emplace_back(fd);
  }
  return sockets;
}

ServiceNotifier ServiceNotifier::from_environment() {
  ServiceNotifier notifier;
  notifier.address_ = take_variable("NOTIFY_SOCKET");
  std::string pid = take_variable("WATCHDOG_PID");
  auto microseconds = number(take_variable("WATCHDOG_USEC"));
  bool usable = notifier.address_.size() > 1 && notifier.address_.size() < sizeof(sockaddr_un::sun_path) &&
                (notifier.address_.front() == '/' || notifier.address_.front() == '@');
  if (!usable) return {};
  notifier.socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (microseconds && (pid.empty() || is_this_process(pid))) {
    notifier.watchdog_interval_ = std::chrono::microseconds(*microseconds) / 2;
  }
  return notifier;
}

Result<void> ServiceNotifier::ready(std::string_view status) const {
  return send(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

Result<void> ServiceNotifier::reloading(Instant now) const {
  return send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading", now.nanoseconds / 1000));
}

Result<void> ServiceNotifier::stopping(std::string_view status) const {
  return send(fmt::format("STOPPING=1\nSTATUS={}", one_line(status)));
}

Result<void> ServiceNotifier::status(std::string_view status) const {
  return send(fmt::format("STATUS={}", one_line(status)));
}

Result<void> ServiceNotifier::send(std::string_view state) const {
  if (address_.empty()) return {};
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::ranges::copy(address_, to.sun_path);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  ssize_t sent = ::sendto(socket_.number(), state.data(), state.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&to), size);
  if (sent < 0) return std::unexpected(system_error(errno, "telling systemd how the service is"));
  return {};
}

}  // namespace lockgate::server
