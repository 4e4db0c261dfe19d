// The names of HTTP fields that a proxy itself acts on, as numbers, so that finding one
// among many is comparing a byte. Every other field is `other` and known by its text.
#pragma once
#include <cstdint>
#include <string_view>

namespace lockgate::wire {

/// Field names (RFC 9110, 18.4, and where each is defined).
enum class FieldName : std::uint8_t {
  other,
  age,
  connection,
  content_length,
  content_location,
  content_type,
  cookie,
  date,
  etag,
  expect,
  forwarded,
  host,
  keep_alive,
  link,
  location,
  proxy_connection,
  referer,
  refresh,
  server,
  set_cookie,
  strict_transport_security,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_request_id,
};

/// Whether a field tells on whose behalf a proxy asks.
constexpr bool tells_of_client(FieldName id) {
  return id == FieldName::forwarded || (id >= FieldName::x_forwarded_for && id <= FieldName::x_real_ip);
}

/// The number of a name in any case; `other` for one that has none.
FieldName field_name(std::string_view name);
/// The name in the form that we write it: "Content-Length". Empty for `other`.
std::string_view text_of(FieldName name);

}  // namespace lockgate::wire
