#include "client.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "bare_speech.h"
#include "client_hello.h"
#include "failure.h"
#include "http_speech.h"
#include "websocket.h"

namespace lockgate::bench {
namespace {

constexpr std::size_t kOpening = 64;    // connections that may be in their handshake at once
constexpr std::uint64_t kFirst = 1024;  // bytes of the first answer on connections that stay

}  // namespace

Client::Client(Work work) : work_(std::move(work)) {
  if (work_.opening == Opening::hello || work_.opening == Opening::plain) return;
  tls_.emplace(work_.opening);
  if (work_.language != Language::bare) tls_->offer_http();
}

void Client::open_all() {
  const std::uint64_t first = std::min(kFirst, work_.answer);
  for (std::uint64_t opened = 0, answered = 0; answered < work_.connections;) {
    for (; opened < work_.connections && opened - answered < kOpening; ++opened) open();
    for_each_finished([&](Connection& connection) {
      if (connection.requests++ == 0) {
        ask(connection, first);
      } else {
        ++answered;
        idle_.push_back(&connection);
      }
    });
  }
}

void Client::relay() {
  const std::uint64_t at_once = std::min({work_.at_once, work_.total, std::uint64_t{idle_.size()}});
  std::size_t woken = 0;
  while (woken < at_once) ask(*idle_[woken++], work_.answer);
  std::uint64_t begun = at_once;
  for (std::uint64_t finished = 0; finished < work_.total;) {
    for_each_finished([&](Connection& connection) {
      ++finished;
      if (begun++ < work_.total) ask(woken < idle_.size() ? *idle_[woken++] : connection, work_.answer);
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
      if (connection.requests++ < work_.each) return ask(connection, work_.answer);
      delete &connection;
      ++closed;
      if (opened++ < total) open();
    });
  }
}

void Client::open() {
  const int fd = connect_to(work_.ports[opened_++ % work_.ports.size()]);
  stop_blocking(fd);
  auto* connection = new Connection{.channel = {fd, tls_ ? tls_->call(has_tickets_) : nullptr},
                                    .asker = new_asker(),
                                    .resuming = has_tickets_};
  epoll_.watch(fd, connection);
  begun_.push_back(connection);
}

std::unique_ptr<Asker> Client::new_asker() const {
  switch (work_.language) {
    case Language::http:
      return std::make_unique<HttpAsker>(work_.path);
    case Language::websocket:
      return std::make_unique<WebSocketAsker>(work_.path);
    case Language::bare:
      break;
  }
  return std::make_unique<BareAsker>(work_.opening == Opening::hello);
}

void Client::send(Connection& connection, std::span<const std::uint8_t> bytes) {
  if (connection.channel.write(bytes) != bytes.size()) fail("a hello or request was not taken in one piece");
}

/// Whether a request may be sent now: the handshake is over, if there is one, and nothing else comes first.
bool Client::begin(Connection& connection) const {
  if (tls_) {
    const auto hands = connection.channel.shake_hands();
    if (hands == Channel::Hands::refused) fail("client: the connection ended in the handshake");
    if (hands == Channel::Hands::under_way) return false;
    tls_->check(connection.channel, connection.resuming);
  }
  connection.open = true;
  const auto opening = connection.asker->open();
  if (!opening.empty()) send(connection, opening);
  return opening.empty();
}

/// Whether the opening or an answer is complete now.
bool Client::receive(Connection& connection) {
  do {
    const auto got = connection.channel.read(buffer_);
    if (!got) fail("client: the connection ended before the answer did");
    if (*got == 0) return false;
    if (connection.asker->hear(std::span(buffer_).first(*got))) return true;
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
