// For tests of what listens: a client and the server's reactor in one thread.
//
// Whatever a Caller waits for, it turns the reactor meanwhile, so a test is one story
// without threads. The clock is the test's: time passes only when it says so.
#pragma once
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "net/listen.h"
#include "net/tcp.h"

namespace lockgate::server {

/// A listening socket on a free port of the loopback.
inline Fd listen_on_loopback() {
  auto fd = net::listen({*Ip::parse("127.0.0.1"), 0}, {.shared_port = false});
  return fd ? std::move(*fd) : Fd();
}

/// Turns until `done()`, and gives up after a second or two.
inline bool turn_until(loop::Reactor& reactor, const std::function<bool()>& done) {
  for (int i = 0; i < 2000 && !done(); ++i) reactor.turn(std::chrono::milliseconds(1));
  return done();
}

/// Turns as often as it takes until what has just happened is dealt with.
inline void turn_some(loop::Reactor& reactor) {
  for (int i = 0; i < 5; ++i) reactor.turn(std::chrono::milliseconds(1));
}

class Caller {
 public:
  Caller(loop::Reactor& reactor, const SocketAddress& to)
      : reactor_(reactor), fd_(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage room;
    socklen_t size = to.to_system(room);
    EXPECT_EQ(::connect(fd_.number(), reinterpret_cast<sockaddr*>(&room), size), 0);
    turn_some(reactor_);
  }

  void send(std::string_view text) {
    turn_until(reactor_, [&] {
      ssize_t sent = ::send(fd_.number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return true;
      if (sent > 0) text.remove_prefix(static_cast<std::size_t>(sent));
      return text.empty();
    });
    turn_some(reactor_);
  }
  void finish() { ::shutdown(fd_.number(), SHUT_WR); }
  /// All that comes until the server ends.
  std::string receive_all() {
    turn_until(reactor_, [&] { return take() && ended_; });
    EXPECT_TRUE(ended_);
    return std::exchange(received_, {});
  }
  /// All that comes until `end` has come.
  std::string receive_until(std::string_view end) {
    bool come = turn_until(reactor_, [&] { return take() && (ended_ || received_.contains(end)); });
    EXPECT_TRUE(come && received_.contains(end)) << received_;
    auto size = received_.find(end) + end.size();
    std::string result = received_.substr(0, size);
    received_.erase(0, size);
    return result;
  }
  bool reset() const { return reset_; }

 private:
  bool take() {
    std::array<char, 65536> room;
    ssize_t got = ::recv(fd_.number(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) received_.append(room.data(), static_cast<std::size_t>(got));
    reset_ = reset_ || (got < 0 && errno == ECONNRESET);
    ended_ = ended_ || got == 0 || reset_;
    return true;
  }

  loop::Reactor& reactor_;
  Fd fd_;
  std::string received_;
  bool ended_ = false, reset_ = false;
};

struct Response {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;
};

/// Cuts what a server sent into its responses and expects nothing else between them.
inline std::vector<Response> responses_in(std::string_view text, bool with_bodies = true) {
  std::vector<Response> responses;
  while (!text.empty()) {
    Response& response = responses.emplace_back();
    auto head_size = text.find("\r\n\r\n");
    bool well_formed = text.starts_with("HTTP/1.1 ") && head_size != text.npos;
    EXPECT_TRUE(well_formed) << text;
    if (!well_formed) break;
    response.status = std::stoi(std::string(text.substr(9, 3)));
    std::string_view head = text.substr(0, head_size + 2);
    for (auto at = head.find("\r\n") + 2; at < head.size(); at = head.find("\r\n", at) + 2) {
      auto colon = head.find(": ", at);
      std::string name(head.substr(at, colon - at));
      response.fields[name] = head.substr(colon + 2, head.find("\r\n", at) - colon - 2);
    }
    text.remove_prefix(head_size + 4);
    if (!with_bodies) continue;
    std::size_t size = std::stoul(response.fields.at("Content-Length"));
    EXPECT_GE(text.size(), size);
    response.body = text.substr(0, size);
    text.remove_prefix(std::min(size, text.size()));
  }
  return responses;
}

}  // namespace lockgate::server
