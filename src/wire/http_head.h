// The head of an HTTP/1 message: reading that of a request or a response, writing
// that of a response (RFC 9112). What follows the head is the caller's.
//
// Reading is strict, since what two readers understand differently is how requests
// are smuggled. It is given everything received so far and keeps no state. The
// result looks into the bytes it was given and lives no longer than they. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/field_name.h"

namespace lockgate::wire {

/// Whether two names or words are the same but for the case of ASCII letters.
bool equal_in_any_case(std::string_view a, std::string_view b);

struct HeadLimits {
  std::size_t bytes = 16 * 1024;  // of the whole head
  std::size_t fields = 128;
  std::size_t target = 0;  // bytes of a request's target; 0: no limit of its own
};

struct HeadField {
  std::string_view name;
  std::string_view value;  // without the white space around it
  FieldName id = FieldName::other;
};

/// The value of the first field of this name in any case; nothing if there is none.
std::optional<std::string_view> value_in(std::span<const HeadField> fields, std::string_view name);
/// That of the only one; nothing if there are several, too.
std::optional<std::string_view> only_value_in(std::span<const HeadField> fields, std::string_view name);

/// What the heads of requests and responses have in common.
struct MessageHead {
  int minor_version = 1;          // of HTTP/1
  std::vector<HeadField> fields;  // in the order sent
  std::size_t size = 0;           // in bytes, its empty last line included

  /// As value_in() has it.
  std::optional<std::string_view> field(std::string_view name) const { return value_in(fields, name); }
  /// The first field with this number; nullptr if there is none.
  const HeadField* find(FieldName id) const;
  std::size_t count(FieldName id) const;
};

struct RequestHead : MessageHead {
  std::string_view method;
  std::string_view target;  // as sent

  /// The host that the request is for, in lower case, without port or trailing dot; an IPv6 address without
  /// its brackets; empty if an HTTP/1.0 client gave none. An absolute target outweighs the Host field (RFC
  /// 9112, 3.2.2). bad_message (400) for two Host fields, one that is no host, or none where HTTP/1.1 wants
  /// one.
  Result<std::string> host() const;
};

/// Reads the head at the beginning of `seen` into `head`, whose memory is used again; nothing if it has not
/// all arrived. `head` is of no use unless the outcome is a success.
///
/// One empty line before it is skipped (RFC 9112, 2.2). Refused as bad_message: lines that do not end with CR
/// LF, bare CR, NUL and other control characters, more or less than one space in the request line, a version
/// other than 1.x, a method or a field name that is not a token, white space before a colon, folded lines, a
/// target that is no printable ASCII, has a fragment or a form that its method does not have (RFC 9112, 3.2).
/// Refused as too_large: more bytes or fields than `limits` allow. An error's detail is the status to answer
/// with: 400, 414 for the target alone, 431 for bytes and fields, 505 for another version.
///
/// What is refused stays so, and what is accepted stays the same, whatever follows.
std::optional<Result<void>> read_request_head(Bytes seen, const HeadLimits& limits, RequestHead& head);
/// The same into a head of its own.
std::optional<Result<RequestHead>> parse_request_head(Bytes seen, const HeadLimits& limits = {});

struct ResponseHead : MessageHead {
  int status = 0;           // of three digits
  std::string_view reason;  // as sent: any bytes but control characters; may be empty
};

/// Reads the head at the beginning of `seen` as read_request_head() does, with the same rules for lines and
/// fields. The space behind the status may be missing where there is no reason, as some servers have it (RFC
/// 9112, 4). What does not begin as HTTP/1 is refused with the first byte that differs. The status to answer
/// with is always 502, for the fault is the upstream's.
std::optional<Result<void>> read_response_head(Bytes seen, const HeadLimits& limits, ResponseHead& head);
std::optional<Result<ResponseHead>> parse_response_head(Bytes seen, const HeadLimits& limits = {});

/// A response's head in HTTP/1.1, its empty last line included. Names are tokens, and neither values nor the
/// reason have control characters: the caller sees to that.
std::string write_response_head(int status, std::string_view reason, std::span<const HeadField> fields);

}  // namespace lockgate::wire
