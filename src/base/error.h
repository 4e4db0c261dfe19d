// Error: what went wrong, on whose side, while doing what; and Result<T>.
//
// An Error is small and trivially copyable, so the data path can pass it about
// without allocating. Names and addresses are not in it: they live in the
// connection's facts, and whoever writes the log line has both. `doing` is a
// literal gerund ("reading the hello"); `detail` is a number whose words come
// from one table (errno, TLS alert, certificate, resolver, HTTP or SOCKS status).
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace lockgate {

/// What went wrong. The names are the ones in log fields and metrics.
enum class Errc : std::uint8_t {
  closed,         // the peer ended where more had to come
  reset,          // the peer reset the connection
  timed_out,      // a deadline passed
  refused,        // the peer answered with a refusal
  unreachable,    // no way to the peer
  unresolved,     // a name has no address
  bad_message,    // the bytes break their protocol
  too_large,      // a limit on size was reached
  handshake,      // no agreement on TLS with the peer
  untrusted,      // the peer's certificate does not hold
  no_site,        // no site takes this connection
  rejected,       // a rule of the configuration says no
  limited,        // a limit on number or rate was reached
  banned,         // the client is kept out for a while
  no_endpoint,    // no endpoint of the upstream can be used
  loops,          // the upstream is this very process
  no_resources,   // descriptors, memory or ports have run out
  shutting_down,  // this process ends
  io,             // any other failure of the operating system
};
inline constexpr int kErrcCount = static_cast<int>(Errc::io) + 1;

/// Whose fault or place it was.
enum class Side : std::uint8_t { here, client, upstream, parent };

/// What the number in an Error's detail counts.
enum class DetailKind : std::uint8_t {
  none,
  system,       // errno
  alert,        // of TLS, received from the peer (RFC 8446, 6)
  tls,          // libssl's reason
  certificate,  // libcrypto's result of verifying
  resolver,     // c-ares's status
  http_status,
  socks,  // a reply (RFC 1928, 6)
};

struct Detail {
  DetailKind kind = DetailKind::none;
  std::int16_t number = 0;
  bool operator==(const Detail&) const = default;
};

struct Error {
  Errc code = Errc::io;
  Side side = Side::here;
  bool retryable = false;  // nothing was sent: another endpoint may be tried
  Detail detail = {};
  const char* doing = "";

  Error on(Side where) const {
    Error moved = *this;
    moved.side = where;
    return moved;
  }
  Error retry() const {
    Error again = *this;
    again.retryable = true;
    return again;
  }
};

template <class T>
using Result = std::expected<T, Error>;

/// An Error as the failed outcome of any Result.
inline std::unexpected<Error> failure(Errc code, const char* doing, Detail detail = {}) {
  return std::unexpected(Error{.code = code, .detail = detail, .doing = doing});
}

/// The Error that the errno value `number` means.
Error system_error(int number, const char* doing);

/// The name of a code or side as logs and metrics show it: "timed_out", "client".
std::string_view name_of(Errc code);
std::string_view name_of(Side side);
/// A TLS alert as the RFC names it: "unknown_ca".
std::string_view name_of_alert(std::uint8_t number);

/// A sentence: "connecting to the upstream: refused (connection refused)".
std::string words(const Error& error);

}  // namespace lockgate
