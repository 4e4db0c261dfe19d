#include "origin.h"

#include <unistd.h>

#include <algorithm>

#include "failure.h"

namespace lockgate::bench {

Origin::Origin(const std::string& pem) : tls_(pem) { epoll_.watch(STDIN_FILENO, nullptr); }

void Origin::listen(std::uint16_t port, Kind kind) {
  auto* listener = new Peer{.channel = {listen_on(port), nullptr}, .kind = kind, .listens = true};
  epoll_.watch(listener->channel.fd(), listener);
}

void Origin::run() {
  for (;;) {
    for (const epoll_event& event : epoll_.wait()) {
      if (event.data.ptr == nullptr) return;
      auto* peer = static_cast<Peer*>(event.data.ptr);
      if (peer->listens) {
        accept_one(*peer);
      } else if (!serve(*peer, event.events)) {
        delete peer;
      }
    }
  }
}

void Origin::accept_one(const Peer& listener) {
  const int fd = accept_from(listener.channel.fd());
  if (fd < 0) return;
  const Kind kind = listener.kind;
  auto* peer = new Peer{.channel = {fd, kind == Kind::tls ? tls_.answer() : nullptr},
                        .kind = kind,
                        .ready = kind == Kind::plain};
  epoll_.watch(fd, peer);
}

bool Origin::serve(Peer& peer, std::uint32_t events) {
  if (peer.blocked && (events & EPOLLOUT) != 0) return answer(peer);
  if (!peer.ready && peer.kind == Kind::tls) return shake_hands(peer);
  const auto got = peer.channel.read(std::span(peer.buffer).subspan(peer.buffered));
  if (!got) return false;
  if (*got == 0) return true;
  if (peer.remaining > 0) fail("origin: bytes arrived during an answer");
  peer.buffered += *got;
  if (!peer.ready) return take_hello(peer);
  if (peer.buffered < kRequest) return true;
  return begin(peer, answer_to(std::span(peer.buffer).first(peer.buffered)));
}

bool Origin::shake_hands(Peer& peer) {
  const auto hands = peer.channel.shake_hands();
  peer.ready = hands == Channel::Hands::shaken;
  if (peer.ready && peer.channel.holds_more()) return serve(peer, EPOLLIN);
  return hands != Channel::Hands::refused;
}

bool Origin::take_hello(Peer& peer) {
  if (peer.buffered < kClientHello.size()) return true;
  if (!std::equal(kClientHello.begin(), kClientHello.end(), peer.buffer.begin()))
    fail("origin: a changed hello");
  if (peer.buffered > kClientHello.size()) fail("origin: bytes before the flight");
  peer.ready = true;
  return begin(peer, kFlight);
}

bool Origin::begin(Peer& peer, std::uint64_t size) {
  peer.buffered = 0;
  peer.sent = 0;
  peer.remaining = size;
  return answer(peer);
}

bool Origin::answer(Peer& peer) {
  while (peer.remaining > 0) {
    auto bytes = pattern_from(peer.sent);
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), peer.remaining));
    const auto sent = peer.channel.write(bytes);
    if (!sent) return false;
    if (*sent == 0) {
      if (!peer.blocked) epoll_.change(peer.channel.fd(), &peer, EPOLLIN | EPOLLOUT);
      peer.blocked = true;
      return true;
    }
    peer.sent += *sent;
    peer.remaining -= *sent;
  }
  if (peer.blocked) epoll_.change(peer.channel.fd(), &peer, EPOLLIN);
  peer.blocked = false;
  return true;
}

}  // namespace lockgate::bench
