// The target of a request, and its path in the one form that routes are matched with
// and that is sent on, so that nobody behind us reads another path than we did.
//
// Whatever is read here is decoded once: "%252F" stays "%252F". Where slashes that
// repeat stay raw, a path may begin with "//": whoever makes a redirect out of it puts
// a scheme and a host before it. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lockgate::wire {

struct HttpTarget {
  std::string_view path;   // begins with '/', or is "*"
  std::string_view query;  // as sent, without its '?'
  bool has_query = false;
};

/// What is done with a path that servers read in different ways.
enum class OddPath : std::uint8_t {
  reject,  // refused
  raw,     // left as it is, and not looked into
  decode,  // made into what it most likely means
};

struct PathPolicy {
  /// "%2F", "%5C" and the backslash; decoded they are slashes, before dot segments are looked for.
  OddPath encoded_slashes = OddPath::reject;
  /// "." and "..", their dots encoded or not; decoded they are resolved (RFC 3986, 5.2.4).
  OddPath dot_segments = OddPath::reject;
  /// Slashes behind slashes; decoded they are one, as most servers take them.
  OddPath empty_segments = OddPath::raw;
};

/// Reads a target in origin, absolute or asterisk form (RFC 9112, 3.2). An absolute one without a path has
/// "/", and its host is the business of RequestHead::host(). The path looks into `target` if nothing had to
/// be changed, otherwise into `room`, which is written only then; it is never longer than the target.
///
/// Encoded characters that need no encoding are decoded, but for the dots of dot segments that stay raw, and
/// the other encodings are in upper case (RFC 3986, 6.2.2). The query is not looked into.
///
/// Refused as bad_message with HTTP status 400 and words for what was found: what the policy rejects; broken
/// percent-encodings and "%00"; '#', spaces and anything that is not printable ASCII; a path that climbs
/// above the root. And, unless dot segments are raw, those that only some servers see: with parameters, as in
/// "..;a" (servlet containers), or beside an encoded slash that stays raw.
Result<HttpTarget> read_target(std::string_view target, const PathPolicy& policy, std::string& room);

}  // namespace lockgate::wire
