// The ClientHello: all that a TLS client says before anything is encrypted.
//
// Whoever reads from a client first asks look() what this is, then
// parse_client_hello() what it says. Both are given everything received so far,
// from the first byte, and keep no state: how the bytes were split into segments
// makes no difference. Any thread. The result owns what it holds.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace lockgate::wire {

/// The longest hello read, in bytes of its handshake message. Hellos with post-quantum key shares have about
/// 2 KiB; one that claims more than this is refused before it arrives.
inline constexpr std::size_t kLongestHello = 64 * 1024;

/// What the first bytes of a connection begin.
enum class FirstBytes : std::uint8_t {
  undecided,    // too few to tell
  tls,          // a TLS handshake record
  sslv2,        // a hello in the format of SSL 2.0, which some old clients offer TLS with
  http,         // an upper-case method and a space, HTTP/2's preface among them
  other_plain,  // anything else
};

/// Tells from a few bytes; once it has decided, more bytes decide nothing else.
FirstBytes look(Bytes seen);

/// What the hello's server_name extension holds (RFC 6066, 3).
enum class ServerName : std::uint8_t {
  none,        // no host_name
  host,        // the name of a host
  ip_literal,  // an address, which RFC 6066 forbids and some clients send
  not_a_host,  // printable, and no name that the DNS could hold: "*.example.com", "example.com:443"
};

struct ClientHello {
  /// The hello came in SSL 2.0's format: it has no extensions, so no name.
  bool sslv2 = false;
  /// There is an encrypted_client_hello extension (RFC 9849), real or GREASE, which look the same. If it is
  /// real, the name here is the outer one, a decoy that says nothing about the site wanted.
  bool ech = false;

  ServerName name_kind = ServerName::none;
  /// Lower case, without a trailing dot; empty unless `name_kind` is host.
  std::string server_name;
  /// As the client wrote it: printable ASCII, or empty if there is none.
  std::string name_as_sent;

  std::uint16_t legacy_version = 0;
  // Each list in the order sent, GREASE values included (RFC 8701).
  std::vector<std::uint16_t> cipher_suites;
  std::vector<std::uint16_t> extensions;
  std::vector<std::uint16_t> supported_versions;
  std::vector<std::uint16_t> groups;
  std::vector<std::uint16_t> signature_algorithms;
  std::vector<std::uint8_t> point_formats;
  std::vector<std::string> alpn;

  /// The highest version offered: of supported_versions, without GREASE, else the legacy one.
  std::uint16_t version() const;
  bool has_extension(std::uint16_t type) const;
};

/// True for the values that clients send to see whether servers ignore the unknown (RFC 8701).
constexpr bool is_grease(std::uint16_t value) {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/// Reads the ClientHello at the beginning of `seen`; nothing if it has not all arrived.
///
/// Accepted: a hello spread over any number of records, down to one byte each; record versions 3.0 to 3.4
/// and any hello version 3.x; no extensions at all; unknown and GREASE values everywhere; unknown name
/// types; further records after the hello, which are not looked at.
///
/// Refused as bad_message: other records before the hello's end, empty records (RFC 8446, 5.1), anything
/// behind the hello in its last record, a length that does not fit, an extension twice (RFC 8446, 4.2), a
/// second host_name (RFC 6066, 3), a name that is empty, longer than the DNS allows, or has a byte that is
/// not printable ASCII, and more than 256 protocols in ALPN. Refused as too_large, before it arrives: a
/// record longer than 2^14 bytes, a hello longer than kLongestHello or in more than 4096 records.
///
/// What is refused stays so, and what is accepted stays the same, whatever follows. Memory grows with what
/// has arrived, not with what is claimed.
std::optional<Result<ClientHello>> parse_client_hello(Bytes seen);

}  // namespace lockgate::wire
