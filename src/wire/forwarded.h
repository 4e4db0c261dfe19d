// Who a request is from, as the proxies in front of us tell it in its fields: lists in
// the manner of X-Forwarded-For, Forwarded (RFC 7239), or one address (X-Real-IP).
//
// Each proxy appends to what it was sent, so only the end of a list can be believed:
// it is read from right to left, as far as trusted networks reach. Whoever calls has
// found the peer itself to be trusted. Pure, and no allocation in reading; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"
#include "wire/http_head.h"

namespace lockgate::wire {

/// So many entries of a list are looked at.
inline constexpr std::size_t kMostForwarders = 64;

/// A client that a field names. The texts look into the field.
struct NamedClient {
  Ip ip;                   // never none, and without a zone, which means something to that proxy only
  std::uint16_t port = 0;  // 0 where it is not told
  // Of the same element, where it tells: a scheme, and a host with or without a port, as sent.
  std::string_view proto = {}, host = {};
};

/// The client in lists of addresses. All fields of this name are one list, in their order. From its end, the
/// first address that is in none of the `trusted` networks is the client; the one at the beginning if all
/// are. An entry that is no address, as "unknown" or "unix:", ends the walk: the client is the address behind
/// it in the list. Nothing if there is none, and then the peer is the client itself. Empty entries are
/// skipped (RFC 9110, 5.6.1).
///
/// An entry may be "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:80".
std::optional<NamedClient> client_of_list(std::span<const HeadField> fields, std::string_view name,
                                          std::span<const Network> trusted);

/// The client in the fields named Forwarded, by the same walk over their elements' "for". An element without
/// one ends the walk as an obfuscated one does, and so does one that breaks the format (RFC 7239, 4 and 6);
/// what stands to the left of a good one cannot spoil it. Read although they are not to be written so: spaces
/// around semicolons, and addresses with colons that are not quoted.
std::optional<NamedClient> client_of_forwarded(std::span<const HeadField> fields,
                                               std::span<const Network> trusted);

/// The client in the one field of this name, which is one address; nothing if there are several fields, since
/// nobody could tell which of them the proxy wrote.
std::optional<NamedClient> client_of_field(std::span<const HeadField> fields, std::string_view name);

/// What the nearest proxy has added to lists of this name, as X-Forwarded-Proto: the last entry in the last
/// field, for what stands before it may be the client's own. Empty if there is none.
std::string_view last_of_list(std::span<const HeadField> fields, std::string_view name);

/// What we tell of a request in an element of Forwarded. Empty is what is not told.
struct ForwardedElement {
  Ip client;  // "unknown" if none, as for a Unix socket
  std::uint16_t client_port = 0;
  Ip by;
  std::string_view host, proto;
};

/// Appends an element to the list in `value`, which may be empty (RFC 7239, 4). A host that cannot be
/// written, for it has control characters, and a proto that is no scheme are left out.
void append_forwarded(const ForwardedElement& element, std::string& value);

}  // namespace lockgate::wire
