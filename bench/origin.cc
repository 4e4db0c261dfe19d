#include "origin.h"

#include <unistd.h>

#include "bare_speech.h"
#include "failure.h"
#include "http_speech.h"

namespace lockgate::bench {
namespace {

std::unique_ptr<Answerer> new_answerer(Origin::Kind kind) {
  if (kind == Origin::Kind::http || kind == Origin::Kind::https) return std::make_unique<HttpAnswerer>();
  return std::make_unique<BareAnswerer>(kind == Origin::Kind::hello);
}

}  // namespace

Origin::Origin(const std::string& pem) : tls_(pem) { epoll_.watch(STDIN_FILENO, nullptr); }

void Origin::listen(std::uint16_t port, Kind kind) {
  auto* listener = new Peer{.channel = {listen_on(port), nullptr}, .kind = kind};
  epoll_.watch(listener->channel.fd(), listener);
}

void Origin::run() {
  for (;;) {
    for (const epoll_event& event : epoll_.wait()) {
      if (event.data.ptr == nullptr) return;
      auto* peer = static_cast<Peer*>(event.data.ptr);
      if (!peer->answerer) {
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
  const bool tls = kind == Kind::tls || kind == Kind::https;
  auto* peer = new Peer{.channel = {fd, tls ? tls_.answer() : nullptr},
                        .kind = kind,
                        .answerer = new_answerer(kind),
                        .shaken = !tls};
  epoll_.watch(fd, peer);
}

bool Origin::serve(Peer& peer, std::uint32_t events) {
  if (peer.blocked && (events & EPOLLOUT) != 0) return answer(peer);
  if (!peer.shaken) return shake_hands(peer);
  do {
    const auto got = peer.channel.read(buffer_);
    if (!got) return false;
    if (*got == 0) return true;
    if (!peer.answer.next().empty()) fail("origin: bytes arrived during an answer");
    if (const auto begun = peer.answerer->hear(std::span(buffer_).first(*got))) {
      peer.answer = *begun;
      return answer(peer);
    }
  } while (peer.channel.holds_more());
  return true;
}

bool Origin::shake_hands(Peer& peer) {
  const auto hands = peer.channel.shake_hands();
  peer.shaken = hands == Channel::Hands::shaken;
  if (peer.shaken && peer.channel.holds_more()) return serve(peer, EPOLLIN);
  return hands != Channel::Hands::refused;
}

bool Origin::answer(Peer& peer) {
  for (auto bytes = peer.answer.next(); !bytes.empty(); bytes = peer.answer.next()) {
    const auto sent = peer.channel.write(bytes);
    if (!sent) return false;
    if (*sent == 0) {
      if (!peer.blocked) epoll_.change(peer.channel.fd(), &peer, EPOLLIN | EPOLLOUT);
      peer.blocked = true;
      return true;
    }
    peer.answer.drop(*sent);
  }
  if (peer.blocked) epoll_.change(peer.channel.fd(), &peer, EPOLLIN);
  peer.blocked = false;
  return true;
}

}  // namespace lockgate::bench
