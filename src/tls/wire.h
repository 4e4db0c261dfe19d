// Wire: where libssl reads and writes: memory, never a socket.
//
// A TlsStream lays before it what was read of the stream below, and takes away what it
// has sealed. Beside the bytes it carries what libssl tells in callbacks. One thread.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

struct ssl_st;

namespace lockgate::tls {

/// A fatal alert of the TLS protocol (RFC 8446, 6), and who sent it.
struct Alert {
  std::uint8_t number = 0;
  bool sent = false;  // by us
};

/// Takes the lines of a key log (NSS's SSLKEYLOGFILE), each without its newline.
using KeyLog = std::function<void(std::string_view line)>;

struct Wire {
  Bytes in;                     // not yet read by libssl
  std::vector<std::byte>* out;  // what it has sealed is appended here
  std::optional<Alert> alert;   // the last one
  std::uint32_t messages = 0;   // of the handshake protocol, sent or read
  std::string untrusted;        // which of the peer's certificates does not hold, in words
  KeyLog key_log;               // may be empty
  std::string alpn;             // of a server: what it agrees to, in its order, as the extension has it
  std::string peer;             // of a client: under which name its sessions are kept
};

/// The protocols as the ALPN extension lists them (RFC 7301, 3.1); none is longer than 255
/// bytes, and empty ones stand for nothing.
std::string alpn_list(std::span<const std::string> protocols);

/// Has `ssl` read from and write to `wire`, which stays where it is as long as `ssl` lives.
void attach(ssl_st& ssl, Wire& wire);
/// The wire of an SSL that was attached.
Wire& wire_of(const ssl_st& ssl);

}  // namespace lockgate::tls
