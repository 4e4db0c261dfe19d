// Where an HTTP/1 message ends: how its body is delimited, or why nobody can be sure
// (RFC 9112, 6). What two readers would delimit differently is refused, never guessed:
// that is how requests are smuggled. And what the Connection field says.
//
// Pure; any thread.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "wire/http_head.h"

namespace lockgate::wire {

struct Framing {
  enum class Body : std::uint8_t { none, sized, chunked, until_close };
  Body body = Body::none;
  std::uint64_t length = 0;  // of a sized one; 0 is possible, too
  bool operator==(const Framing&) const = default;
};

/// The framing of a request. bad_message for Transfer-Encoding with Content-Length, in HTTP/1.0, more than
/// once, or with anything but "chunked" alone; for a Content-Length that is no plain decimal number of 64
/// bits, or is repeated, be it the same. The detail is the status to answer with: 501 where an unknown coding
/// stands in front of "chunked", else 400.
Result<Framing> framing_of(const RequestHead& head);

/// The framing of the answer to a request with `method` (RFC 9112, 6.3). bad_message under the same rules,
/// and 502 is the status to answer with. Where an answer has no body by definition (HEAD, 1xx, 204, 304) its
/// Transfer-Encoding means nothing, but its Content-Length has to be one; for a 2xx to CONNECT neither is
/// looked at (RFC 9110, 9.3.6).
Result<Framing> framing_of(const ResponseHead& head, std::string_view method);

/// The Content-Length of a message, whether or not it has a body (RFC 9110, 8.6); nothing if there is none,
/// or none that can be relied on.
std::optional<std::uint64_t> told_length(const MessageHead& head);

/// What the Connection fields ask for, as tokens in any case and any number of fields (RFC 9110, 7.6.1).
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};
ConnectionOptions connection_options(const MessageHead& head);
/// Whether a Connection field names `field`, so that it concerns this connection only.
bool is_named_by_connection(const MessageHead& head, std::string_view field);

/// Whether the connection may carry another message behind this one (RFC 9112, 9.3), as far as its head
/// tells: a body until_close, or a tunnel, never leaves room for one.
bool persists(const MessageHead& head);

/// What `list` has in front of its next comma that is in no quoted string, without white space around it. It
/// is taken off `list` together with the comma; it may be empty.
std::string_view take_member(std::string_view& list);

/// Whether a list has this word among its members, in any case.
bool has_member(std::string_view list, std::string_view word);

/// A list's members (RFC 9110, 5.6.1): calls `visit(member)` for each that is not empty, without white space
/// around it, commas inside of quoted strings not counting, until it returns false.
template <class Visit>
void for_each_member(std::string_view list, Visit visit) {
  while (!list.empty()) {
    std::string_view member = take_member(list);
    if (!member.empty() && !visit(member)) return;
  }
}

}  // namespace lockgate::wire
