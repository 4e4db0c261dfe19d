// TLS of the load generator: one version, cipher and group for every proxy, so that all of them compute the
// same.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "channel.h"

namespace lockgate::bench {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using OwnedContext = std::unique_ptr<SSL_CTX, FreeTls>;
using OwnedSession = std::unique_ptr<SSL_SESSION, FreeTls>;

/// What a client opens a connection with: the bare ClientHello of client_hello.h, nothing, or TLS.
enum class Opening : std::uint8_t { hello, plain, tls1_2, tls1_3, resumed };

class TlsClient {
 public:
  explicit TlsClient(Opening opening);

  /// From now on names HTTP/1.1 as what will be spoken (ALPN).
  void offer_http();
  /// For one connection: a full handshake, or one by a ticket that is used for nothing else.
  OwnedSsl call(bool resuming);
  /// Ends the program if something else was agreed on than what all proxies shall compute.
  void check(const Channel& channel, bool resuming) const;

 private:
  static int keep_ticket(SSL* ssl, SSL_SESSION* session);

  Opening opening_;
  OwnedContext context_;
  std::vector<OwnedSession> tickets_;
};

class TlsServer {
 public:
  /// `pem`: a file with certificate and key.
  explicit TlsServer(const std::string& pem);
  OwnedSsl answer();

 private:
  OwnedContext context_;
};

}  // namespace lockgate::bench
