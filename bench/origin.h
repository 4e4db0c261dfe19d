// Origin: accepts on its ports, and answers requests.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "channel.h"
#include "client_hello.h"
#include "pattern.h"
#include "socket.h"
#include "tls.h"

namespace lockgate::bench {

class Origin {
 public:
  /// What precedes the requests on a port: a ClientHello, answered with a flight; nothing; or TLS.
  enum class Kind : std::uint8_t { hello, plain, tls };

  /// `pem`: certificate and key for ports with TLS.
  explicit Origin(const std::string& pem);
  void listen(std::uint16_t port, Kind kind);
  /// Until standard input ends: whoever started this is gone or done.
  void run();

 private:
  struct Peer {
    Channel channel;
    Kind kind;
    bool listens = false;
    bool ready = false;           // for requests
    bool blocked = false;         // the answer waits for room in the socket
    std::size_t buffered = 0;     // bytes of an incomplete hello or request
    std::uint64_t sent = 0;       // of the answer under way
    std::uint64_t remaining = 0;  // of the answer under way
    std::array<std::uint8_t, 1024> buffer{};
  };
  static_assert(sizeof(Peer::buffer) > kClientHello.size() && sizeof(Peer::buffer) > kRequest);

  void accept_one(const Peer& listener);
  // These are false when the connection has ended.
  bool serve(Peer& peer, std::uint32_t events);
  bool shake_hands(Peer& peer);
  bool take_hello(Peer& peer);
  bool begin(Peer& peer, std::uint64_t size);
  bool answer(Peer& peer);

  TlsServer tls_;
  Epoll epoll_;
};

}  // namespace lockgate::bench
