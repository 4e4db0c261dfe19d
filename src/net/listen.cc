#include "net/listen.h"

#include <dirent.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "base/owned.h"

namespace lockgate::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr Duration kRetry = std::chrono::milliseconds(100);

void set_flag(int fd, int level, int option, bool on) {
  int number = on ? 1 : 0;
  setsockopt(fd, level, option, &number, sizeof number);
}

// A Unix socket on which nobody listens any more; one in use is left alone, and so is any other file, to
// which connecting is refused just the same.
void remove_stale(const SocketAddress& at) {
  struct stat file{};
  if (::lstat(at.path().c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_storage room;
  socklen_t size = at.to_system(room);
  if (::connect(probe.number(), reinterpret_cast<sockaddr*>(&room), size) != 0 && errno == ECONNREFUSED) {
    ::unlink(at.path().c_str());
  }
}

// The sockets that listen on a port, as /proc names them among descriptors, and whose they are.
struct Listening {
  std::set<std::string> inodes;
  std::string uid;
};

// Adds those of /proc/net/tcp or tcp6.
void add_listening(const char* table, std::uint16_t port, Listening& listening) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  constexpr const char* kListening = "0A";
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    auto colon = local.rfind(':');
    if (state != kListening || colon == std::string::npos) continue;
    if (std::strtoul(local.c_str() + colon + 1, nullptr, 16) != port) continue;
    listening.inodes.insert("socket:[" + inode + "]");
    listening.uid = uid;
  }
}

std::string user_name(const std::string& uid) {
  const passwd* user = ::getpwuid(static_cast<uid_t>(std::strtoul(uid.c_str(), nullptr, 10)));
  return user ? user->pw_name : uid;
}

bool holds_one(const std::string& pid, const std::set<std::string>& inodes) {
  std::string folder = "/proc/" + pid + "/fd";
  Owned<DIR, ::closedir> fds(::opendir(folder.c_str()));
  if (!fds) return false;
  while (const dirent* entry = ::readdir(fds.get())) {
    std::array<char, 64> target{};
    if (::readlink((folder + "/" + entry->d_name).c_str(), target.data(), target.size() - 1) <= 0) continue;
    if (inodes.contains(target.data())) return true;
  }
  return false;
}

}  // namespace

Result<Fd> listen(const SocketAddress& at, const ListenOptions& options) {
  Fd fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(system_error(errno, "opening a listening socket"));
  if (at.is_unix()) {
    remove_stale(at);
    ::fchmod(fd.number(),
             options.unix_mode);  // the file takes it over, so it is never there with another one
  } else {
    set_flag(fd.number(), SOL_SOCKET, SO_REUSEADDR, true);
    if (options.shared_port) set_flag(fd.number(), SOL_SOCKET, SO_REUSEPORT, true);
    if (at.ip().is_v6()) set_flag(fd.number(), IPPROTO_IPV6, IPV6_V6ONLY, !options.both_families);
    set_socket_options(fd.number(), options.socket);
  }
  sockaddr_storage room;
  socklen_t size = at.to_system(room);
  if (::bind(fd.number(), reinterpret_cast<sockaddr*>(&room), size) != 0) {
    return std::unexpected(system_error(errno, "binding"));
  }
  if (::listen(fd.number(), options.backlog) != 0) return std::unexpected(system_error(errno, "listening"));
  return fd;
}

void tune(int fd, const ListenOptions& options) {
  if (options.shared_port) set_socket_options(fd, options.socket);
  ::listen(fd, options.backlog);
}

std::string holder_of(const SocketAddress& at) {
  Listening listening;
  add_listening("/proc/net/tcp", at.port(), listening);
  add_listening("/proc/net/tcp6", at.port(), listening);
  if (listening.inodes.empty()) return "";
  Owned<DIR, ::closedir> processes(::opendir("/proc"));
  if (!processes) return "";
  while (const dirent* entry = ::readdir(processes.get())) {
    std::string pid = entry->d_name;
    if (pid.find_first_not_of("0123456789") != std::string::npos || !holds_one(pid, listening.inodes))
      continue;
    std::ifstream comm("/proc/" + pid + "/comm");
    std::string name;
    std::getline(comm, name);
    return name + " (pid " + pid + ")";
  }
  return "a process of user " + user_name(listening.uid);
}

Acceptor::Acceptor(loop::Reactor& reactor, int fd, bool shared) : reactor_(reactor), fd_(fd) {
  reactor_.watch(fd_, *this, EPOLLIN | EPOLLET | (shared ? std::uint32_t{EPOLLEXCLUSIVE} : 0));
}

Acceptor::~Acceptor() { reactor_.forget(fd_); }

void Acceptor::resume() {
  paused_ = false;
  if (waiting_) reactor_.enqueue(*this);
}

void Acceptor::drain() {
  waiting_ = true;
  paused_ = false;
  while (waiting_ && accept_one()) {
  }
}

void Acceptor::edges(std::uint32_t) {
  waiting_ = true;
  reactor_.enqueue(*this);
}

void Acceptor::run() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (paused_ || !waiting_) return;
    if (!accept_one()) return reactor_.start(retry_, reactor_.now() + kRetry);
  }
  reactor_.enqueue(*this);
}

// False if it has to be tried again later.
bool Acceptor::accept_one() {
  sockaddr_storage room{};
  socklen_t size = sizeof room;
  Fd fd(::accept4(fd_, reinterpret_cast<sockaddr*>(&room), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    accepted(std::move(fd), SocketAddress::from_system(reinterpret_cast<sockaddr*>(&room), size));
    return true;
  }
  switch (errno) {
    case EAGAIN:
      waiting_ = false;
      return true;
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return true;  // that one connection is gone (accept(2)); the next may be well
    default:
      accept_failed(system_error(errno, "accepting"));
      return false;
  }
}

}  // namespace lockgate::net
