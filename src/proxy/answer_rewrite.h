// An answer's references to its upstream, turned into ours: in Location, Refresh, Link
// and Set-Cookie.
//
// An upstream knows itself by other names than its clients do: another scheme, host,
// port and path. What it says of itself is rewritten, and nothing else, byte for byte.
// Prefixes of paths end where a segment does: "/app" has "/app/x" beneath it but not
// "/apple"; a slash at their end counts for nothing, and "" is "/". Each function gives
// nothing, and allocates nothing, where nothing has to change. Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockgate::proxy {

/// What the operator wants to have rewritten, beyond what is plain from the request.
struct Replacement {
  std::string_view from, to;
};

/// Where a request was sent, and where its client believes to have sent it.
struct Mapping {
  // The upstream's own address.
  std::string_view scheme;     // "http" or "https"
  std::string_view authority;  // as sent in Host
  std::string_view endpoint;   // host and port that were connected to; no Unix socket ever matches
  std::string_view prefix;     // of paths there
  // Ours, as the client used it.
  std::string_view public_scheme;
  std::string_view public_authority;
  std::string_view public_prefix;
  /// URLs ("http://b.example:81/x") or paths ("/x", of the upstream's own address), to URLs or paths (of our
  /// own address). The first that matches is taken, and before what follows from the addresses above.
  std::span<const Replacement> replacements = {};
};

/// A Location or Content-Location (RFC 9110, 10.2.2 and 8.7).
///
/// An absolute URL, or one that begins with "//", is rewritten if it is at the upstream's own address and its
/// path beneath the prefix there, or anywhere if the prefixes are the same. An address is a host in any case
/// and a port, which the scheme only gives where none is written: a port speaks one protocol, whatever the
/// application believes. Where Host was our own address, that address is the upstream's, too. A path is
/// rewritten if the prefixes differ and it is beneath the one there. What is relative to the request's own
/// path stays as it is, and so does whatever has a user in it.
///
/// A path is never made into a reference to another host: what would begin with "//" gets our address in
/// front of it.
std::optional<std::string> rewritten_location(std::string_view value, const Mapping& mapping);

/// A Refresh, as in `5; url="/x"`: the URL as rewritten_location() has it. The quotes and the "url=" may be
/// missing, and a comma may stand for the semicolon, as HTML reads it.
std::optional<std::string> rewritten_refresh(std::string_view value, const Mapping& mapping);

/// The target of each link of a Link field (RFC 8288, 3). From where it breaks the format it stays as it is.
std::optional<std::string> rewritten_link(std::string_view value, const Mapping& mapping);

enum class SameSite : std::uint8_t { keep, lax, strict, none };

/// What the operator wants of cookies.
struct CookieWishes {
  std::span<const Replacement> domains = {};  // to "": the attribute goes; a dot in front counts for nothing
  std::span<const Replacement> paths = {};    // by prefix, before those of the Mapping; the first match
  bool secure = false;  // add Secure where our scheme is https: elsewhere no client would take the cookie
  SameSite same_site = SameSite::keep;
};

/// A Set-Cookie (RFC 6265, 5.2). A Domain that is the upstream's host, and not ours, goes. A Path beneath the
/// upstream's prefix gets ours. A cookie "__Host-..." keeps its Path and Domain, since it would be nothing
/// with others; Secure is never taken away.
std::optional<std::string> rewritten_cookie(std::string_view value, const Mapping& mapping,
                                            const CookieWishes& wishes = {});

}  // namespace lockgate::proxy
