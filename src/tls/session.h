// Session: what both sides of a TLS connection have agreed on, for logs, rules and headers.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"

struct ssl_st;

namespace lockgate::tls {

struct Session {
  std::uint16_t version = 0;      // 0x0304 is TLS 1.3
  std::string_view protocol;      // the same as most programs write it, "TLSv1.3"; of static storage
  std::string_view cipher;        // the RFC's name; like the next two of static storage
  std::string_view group;         // of the key exchange; empty if there was none
  std::string_view signature;     // with which the server proved its key; empty if there was none
  std::uint16_t cipher_bits = 0;  // of its key
  bool resumed = false;
  std::string alpn;  // as agreed on; empty if nothing was
  // Of certificates, empty where there is none: subjects as RFC 4514 writes them, serial numbers in
  // hexadecimal.
  std::string own_serial, peer_subject, peer_common_name, peer_serial;
  OwnedCertificate peer_certificate;  // null: none; shared with libssl
  // Its issuers, as they were verified, up to the one that is trusted; none where the session was resumed.
  std::vector<OwnedCertificate> peer_issuers;
};

/// What libssl says of a connection whose handshake is over, on either side.
Session session_of(const ssl_st& ssl);

}  // namespace lockgate::tls
