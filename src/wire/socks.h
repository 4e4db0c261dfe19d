// SOCKS5, as its client: choosing how to log in, user and password, and the request
// for a tunnel (RFC 1928, RFC 1929).
//
// Bytes in, values out; any thread. A parser is given everything received since the
// last answer and keeps no state; it takes no byte more than its answer has, since
// whatever is behind the last one was said by the upstream. The next request is sent
// only when the answer to the last one is there.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace lockgate::wire {

/// The numbers of the ways to log in that we know (RFC 1928, 3), and the server's word for none of those.
inline constexpr std::uint8_t kSocksOpen = 0, kSocksLogin = 2, kSocksNoWay = 0xff;

/// What an Error's detail of kind socks says beyond the reply codes of RFC 1928: the login was refused.
inline constexpr std::int16_t kSocksLoginRefused = 256;

/// Why this user and password cannot be told in SOCKS5 (RFC 1929, 2), as in "the user name is longer than 255
/// bytes"; empty if they can.
std::string_view why_not_in_socks(std::string_view user, std::string_view password);

/// Offers to log in, if we can, or else to do without.
std::string write_socks_greeting(bool with_login);

struct SocksMethod {
  std::uint8_t number = kSocksNoWay;  // as the server says, offered or not
  std::size_t size = 0;
};
/// The server's choice. As with all answers here: nothing while more bytes are needed, and bad_message at the
/// first byte of what is not SOCKS5.
std::optional<Result<SocksMethod>> parse_socks_method(Bytes seen);

/// bad_message if they cannot be told: see why_not_in_socks().
Result<std::string> write_socks_login(std::string_view user, std::string_view password);

struct SocksLogin {
  bool accepted = false;
  std::size_t size = 0;
};
std::optional<Result<SocksLogin>> parse_socks_login(Bytes seen);

/// The request for a tunnel to `host`, a name, which the server resolves, or an IP address without brackets.
/// bad_message if `host` is neither, or an address with a zone, which means something on this machine only.
Result<std::string> write_socks_connect(std::string_view host, std::uint16_t port);

struct SocksReply {
  std::uint8_t code = 0;  // 0: the tunnel is open
  std::size_t size = 0;   // of a reply that opens the tunnel, with the server's address of any type
};
/// A refusal is read from its first two bytes: some servers send no more.
std::optional<Result<SocksReply>> parse_socks_reply(Bytes seen);

/// What a reply that refuses means: unreachable or timed_out where the code says so, else refused.
Errc meaning_of_socks_reply(std::uint8_t code);

}  // namespace lockgate::wire
