#include "client.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "client_hello.h"
#include "failure.h"

namespace lockgate::bench {
namespace {

constexpr std::size_t kOpening = 64;  // connections that may be in their handshake at once

}  // namespace

Client::Client(Work work) : work_(std::move(work)), request_(request_for(work_.answer)) {
  if (work_.opening != Opening::hello) tls_.emplace(work_.opening);
}

void Client::open_all() {
  const auto first = request_for(1024);
  for (std::uint64_t opened = 0, answered = 0; answered < work_.connections;) {
    for (; opened < work_.connections && opened - answered < kOpening; ++opened) open();
    for_each_finished([&](Connection& connection) {
      if (connection.requests++ == 0) {
        send(connection, first, 1024);
      } else {
        ++answered;
        idle_.push_back(&connection);
      }
    });
  }
}

void Client::relay() {
  std::uint64_t begun = 0;
  for (Connection* connection : idle_) {
    if (begun++ < work_.total) send(*connection, request_, work_.answer);
  }
  for (std::uint64_t finished = 0; finished < work_.total;) {
    for_each_finished([&](Connection& connection) {
      ++finished;
      if (begun++ < work_.total) send(connection, request_, work_.answer);
    });
  }
}

void Client::get_tickets() {
  connect(work_.connections);
  has_tickets_ = true;
}

void Client::connect(std::uint64_t total) {
  std::uint64_t opened = 0;
  for (; opened < std::min(work_.connections, total); ++opened) open();
  for (std::uint64_t closed = 0; closed < total;) {
    for_each_finished([&](Connection& connection) {
      if (connection.requests++ < work_.each) return send(connection, request_, work_.answer);
      delete &connection;
      ++closed;
      if (opened++ < total) open();
    });
  }
}

void Client::open() {
  const int fd = connect_to(work_.ports[opened_++ % work_.ports.size()]);
  stop_blocking(fd);
  auto* connection = new Connection{
      .channel = {fd, tls_ ? tls_->call(has_tickets_) : nullptr}, .open = !tls_, .resuming = has_tickets_};
  epoll_.watch(fd, connection);
  if (tls_) {
    begun_.push_back(connection);
  } else {
    send(*connection, kClientHello, kFlight);
  }
}

void Client::send(Connection& connection, std::span<const std::uint8_t> bytes, std::uint64_t expected) {
  connection.expected = expected;
  connection.received = 0;
  if (connection.channel.write(bytes) != bytes.size()) fail("a hello or request was not taken in one piece");
}

/// Whether the handshake is complete now.
bool Client::shake_hands(Connection& connection) const {
  const auto hands = connection.channel.shake_hands();
  if (hands == Channel::Hands::refused) fail("client: the connection ended in the handshake");
  connection.open = hands == Channel::Hands::shaken;
  if (connection.open) tls_->check(connection.channel, connection.resuming);
  return connection.open;
}

/// Whether the flight or answer is complete now.
bool Client::receive(Connection& connection) {
  do {
    const auto got = connection.channel.read(buffer_);
    if (!got) fail("client: the connection ended before the answer did");
    if (*got == 0) return false;
    if (*got > connection.expected) fail("client: more bytes than the answer has");
    if (!is_pattern(std::span(buffer_).first(*got), connection.received)) fail("client: a changed answer");
    connection.received += *got;
    connection.expected -= *got;
    if (connection.expected == 0) return true;
  } while (connection.channel.holds_more());
  return false;
}

void expect_refusal(std::uint16_t port) {
  auto hello = kClientHello;
  std::copy_n("not", 3, hello.begin() + kNameOffset);
  Channel channel(connect_to(port), nullptr);
  if (channel.write(hello) != hello.size()) fail("stranger: sending");
  std::array<std::uint8_t, kFlight> buffer;
  std::size_t received = 0;
  while (const auto got = channel.read(buffer)) {
    received += *got;
    if (received > 64) fail("stranger: a name that no site has was answered");
  }
}

}  // namespace lockgate::bench
