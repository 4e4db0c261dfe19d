// Origin: accepts on its ports, and answers requests.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "channel.h"
#include "socket.h"
#include "speech.h"
#include "tls.h"

namespace lockgate::bench {

class Origin {
 public:
  /// What is spoken on a port: bare requests behind a ClientHello, answered with a flight; behind nothing; or
  /// in TLS. Or HTTP, in plain or in TLS.
  enum class Kind : std::uint8_t { hello, plain, tls, http, https };

  /// `pem`: certificate and key for ports with TLS.
  explicit Origin(const std::string& pem);
  void listen(std::uint16_t port, Kind kind);
  /// Until standard input ends: whoever started this is gone or done.
  void run();

 private:
  struct Peer {
    Channel channel;
    Kind kind;
    std::unique_ptr<Answerer> answerer{};  // none: it listens
    bool shaken = false;                   // the handshake is over, if there is one
    bool blocked = false;                  // the answer waits for room in the socket
    Answer answer{};                       // under way
  };

  void accept_one(const Peer& listener);
  // These are false when the connection has ended.
  bool serve(Peer& peer, std::uint32_t events);
  bool shake_hands(Peer& peer);
  bool answer(Peer& peer);

  TlsServer tls_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(64UL * 1024);
  Epoll epoll_;
};

}  // namespace lockgate::bench
