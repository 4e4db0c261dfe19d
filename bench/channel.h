// Channel: one connection of the load generator, with TLS around its bytes or without. It never blocks, and
// closes when it is destroyed.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace lockgate::bench {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using OwnedSsl = std::unique_ptr<SSL, FreeSsl>;

class Channel {
 public:
  /// Without TLS if `ssl` is null; otherwise `ssl` knows its side.
  Channel(int fd, OwnedSsl ssl);
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  /// Tells the end in TLS, too.
  ~Channel();

  enum class Hands : std::uint8_t { shaken, under_way, refused };
  /// Goes on with the handshake. `refused` if the peer went away meanwhile; a handshake that fails otherwise
  /// ends the program.
  Hands shake_hands();
  /// How many bytes arrived, or 0 for none yet. Nothing at the end, or when the connection broke.
  std::optional<std::size_t> read(std::span<std::uint8_t> room);
  /// How many bytes were taken, or 0 for none now: then offer the same again. Nothing when the connection
  /// broke.
  std::optional<std::size_t> write(std::span<const std::uint8_t> bytes);
  /// Whether read() should be called again before waiting.
  bool holds_more() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }

  int fd() const { return fd_; }
  SSL* ssl() const { return ssl_.get(); }

 private:
  int fd_;
  OwnedSsl ssl_;
};

}  // namespace lockgate::bench
