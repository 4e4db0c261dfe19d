// URLs of the kind that name a place on a host: absolute ones, and references that
// begin with "//" (RFC 3986, 3 and 4.2).
//
// Strict: what two readers understand differently is not read at all, and that goes
// for users and passwords, backslashes, and hosts other than names and addresses.
// Everything read looks into the text that was given. No allocation; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace lockgate::wire {

/// A host with or without a port, as in "a.example:8080" or "[2001:db8::1]".
struct Authority {
  std::string_view host;              // as written: any case, an IPv6 address in its brackets
  std::optional<std::uint16_t> port;  // nothing if there is none, or none behind the colon
};

/// Nothing if `text` is anything but a host of letters, digits, '-', '_' and '.', or an IPv6 address without
/// a zone in brackets, and at most a port.
std::optional<Authority> parse_authority(std::string_view text);

struct Url {
  std::string_view scheme;     // as written; empty if the text begins with "//"
  std::string_view authority;  // host and port as written
  std::string_view host;
  std::optional<std::uint16_t> port;
  std::string_view path;      // empty, or begins with '/'
  std::string_view query;     // without its '?'
  std::string_view fragment;  // without its '#'
  bool has_query = false;
  bool has_fragment = false;
};

/// Nothing if `text` is no such URL: other characters than RFC 3986 allows, half a percent-encoding, no host.
std::optional<Url> parse_url(std::string_view text);

/// The port that a scheme, in any case, has where none is written: those of http, https, ws and wss.
std::optional<std::uint16_t> default_port(std::string_view scheme);

/// Whether two hosts, IPv6 addresses in brackets, are the same: names in any case, addresses by value.
bool same_host(std::string_view a, std::string_view b);

/// RFC 3986, 3.1: a letter, then letters, digits, '+', '-' and '.'.
bool is_scheme(std::string_view text);

/// The value of a hexadecimal digit of either case; -1 for anything else.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986, 2.3: what means the same percent-encoded or not.
constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace lockgate::wire
