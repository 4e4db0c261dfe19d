#include "server/listening.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "net/tcp.h"
#include "proxy/upstream.h"

namespace lockgate::server {
namespace {

net::ListenOptions options_of(const config::Listener& listener, const config::Bind& bind) {
  return {.backlog = static_cast<int>(listener.backlog),
          .both_families = bind.kind == config::Bind::Kind::both_families,
          .shared_port = !bind.address.is_unix(),
          .socket = proxy::socket_options(listener.tcp)};
}

std::string cannot_bind(const config::Listener& listener, const config::Bind& bind, const Error& error) {
  std::string holder = error.detail.number == EADDRINUSE ? net::holder_of(bind.address) : "";
  std::string hint;
  if (!holder.empty()) hint = fmt::format("; the port is held by {}", holder);
  if (error.detail.number == EACCES) {
    hint = "; ports below 1024 need CAP_NET_BIND_SERVICE: start as root or by systemd";
  }
  return fmt::format("{}:{}:{}: listener {} cannot bind {}: {}{}", bind.place.file, bind.place.line,
                     bind.place.column, listener.name, bind.text, words(error), hint);
}

// ":443" is one IPv6 socket for both families; a machine without IPv6 gets an IPv4 one.
Result<Fd> open(const config::Bind& bind, const net::ListenOptions& options) {
  auto fd = net::listen(bind.address, options);
  if (fd || !options.both_families || fd.error().detail.number != EAFNOSUPPORT) return fd;
  return net::listen({*Ip::parse("0.0.0.0"), bind.address.port()}, options);
}

// Workers share the port among themselves, but not with another process that would silently take half of the
// connections: a socket that does not share finds out whether one is there.
Result<void> probe(const config::Bind& bind, net::ListenOptions options) {
  if (bind.kind == config::Bind::Kind::systemd || !options.shared_port) return {};
  options.shared_port = false;
  auto fd = open(bind, options);
  if (!fd) return std::unexpected(fd.error());
  return {};
}

Result<Fd> open_first(const config::Bind& bind, const net::ListenOptions& options) {
  if (auto free = probe(bind, options); !free) return std::unexpected(free.error());
  return open(bind, options);
}

void remove_path(const ListeningSockets::Socket& socket) {
  if (socket.address.is_unix() && !socket.given) ::unlink(socket.address.path().c_str());
}

}  // namespace

std::expected<void, std::string> check_addresses(const config::Config& config) {
  for (const auto& listener : config.listeners) {
    for (const auto& bind : listener.bind) {
      auto free = probe(bind, options_of(listener, bind));
      if (!free) return std::unexpected(cannot_bind(listener, bind, free.error()));
    }
  }
  return {};
}

std::expected<ListeningSockets::Change, std::string> ListeningSockets::change_to(const config::Config& config,
                                                                                 std::size_t workers) {
  std::map<Key, Held> next;  // what stays has no descriptor here yet: it is still in held_
  for (const auto& listener : config.listeners) {
    for (const auto& bind : listener.bind) {
      auto added = add(listener, bind, workers, next);
      if (!added) return std::unexpected(added.error());
    }
  }
  Change change;
  for (auto& [key, held] : next) {
    auto old = held_.find(key);
    if (old != held_.end()) held.fd = std::move(old->second.fd);
  }
  for (auto& [key, held] : held_) {
    if (!held.fd) continue;
    held.socket.fd = held.fd.release();
    change.gone.push_back(held.socket);
  }
  held_ = std::move(next);
  change.open = sockets();
  return change;
}

std::expected<void, std::string> ListeningSockets::add(const config::Listener& listener,
                                                       const config::Bind& bind, std::size_t workers,
                                                       std::map<Key, Held>& next) {
  if (bind.kind == config::Bind::Kind::systemd) return add_given(listener, bind, next);
  bool shared = bind.address.is_unix();
  net::ListenOptions options = options_of(listener, bind);
  for (std::size_t worker = 0; worker < (shared ? 1 : workers); ++worker) {
    Key key(bind.text, worker);
    Held held{
        .socket = {.address = bind.address, .listener = listener.name, .shared = shared, .worker = worker}};
    if (auto old = held_.find(key); old != held_.end()) {
      held.socket.fd = old->second.fd.number();
      held.socket.address = old->second.socket.address;
      net::tune(held.socket.fd, options);
    } else {
      // Our own socket of that port, which may be about to go, shares it.
      bool first = worker == 0 && !holds_port_of(bind.address);
      auto fd = first ? open_first(bind, options) : open(bind, options);
      if (!fd) return std::unexpected(cannot_bind(listener, bind, fd.error()));
      held.fd = std::move(*fd);
      held.socket.fd = held.fd.number();
    }
    next.emplace(std::move(key), std::move(held));
  }
  return {};
}

std::expected<void, std::string> ListeningSockets::add_given(const config::Listener& listener,
                                                             const config::Bind& bind,
                                                             std::map<Key, Held>& next) {
  auto given = given_.find(bind.descriptor);
  if (given == given_.end()) {
    return std::unexpected(
        fmt::format("{}:{}:{}: listener {} wants {}, but systemd has passed no socket of that name; see "
                    "FileDescriptorName= in "
                    "the socket unit",
                    bind.place.file, bind.place.line, bind.place.column, listener.name, bind.text));
  }
  for (std::size_t i = 0; i < given->second.size(); ++i) {
    Key key(bind.text, i);
    int fd = given->second[i].number();
    Held held{
        .socket = {
            .address = net::local_address(fd), .listener = listener.name, .shared = true, .given = true}};
    auto old = held_.find(key);
    if (old == held_.end()) held.fd = Fd(::dup(fd));  // the original stays, should the listener come back
    held.socket.fd = old == held_.end() ? held.fd.number() : old->second.socket.fd;
    next.emplace(std::move(key), std::move(held));
  }
  return {};
}

void ListeningSockets::close_all() {
  for (auto& [key, held] : held_) {
    remove_path(held.socket);
  }
  held_.clear();
  given_.clear();
}

void ListeningSockets::close(const std::vector<Socket>& gone) {
  for (const Socket& socket : gone) {
    ::close(socket.fd);
    remove_path(socket);
  }
}

bool ListeningSockets::holds_port_of(const SocketAddress& address) const {
  return !address.is_unix() && std::ranges::any_of(held_, [&](const auto& entry) {
    const SocketAddress& ours = entry.second.socket.address;
    return !ours.is_unix() && ours.port() == address.port();
  });
}

std::vector<ListeningSockets::Socket> ListeningSockets::sockets() const {
  std::vector<Socket> sockets;
  for (const auto& [key, held] : held_) sockets.push_back(held.socket);
  return sockets;
}

std::vector<SocketAddress> ListeningSockets::addresses() const {
  std::vector<SocketAddress> all;
  for (const auto& [key, held] : held_) all.push_back(held.socket.address);
  return all;
}

std::vector<SocketAddress> ListeningSockets::addresses_of(const std::string& listener) const {
  std::vector<SocketAddress> own;
  for (const auto& [key, held] : held_) {
    bool seen = std::ranges::find(own, held.socket.address) != own.end();
    if (held.socket.listener == listener && !seen) own.push_back(held.socket.address);
  }
  return own;
}

}  // namespace lockgate::server
