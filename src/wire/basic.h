// Credentials in the Basic scheme (RFC 7617): what a client says in Authorization, and
// what asks it to. Names and passwords are UTF-8. Any thread.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockgate::wire {

/// A name and a password, in the memory that they were read into.
struct BasicCredentials {
  std::string_view user, password;
};

/// Longer fields are not read.
inline constexpr std::size_t kLongestBasic = 4096;
/// So many characters of room read_basic() needs at the most.
constexpr std::size_t room_for_basic(std::string_view field) { return field.size() / 4 * 3 + 3; }

/// What a field Authorization says. Nothing if it is of another scheme or not in good form, has control
/// characters or what is no UTF-8 (2), or a name that is empty, or that white space would be cut from where
/// it is handed on.
std::optional<BasicCredentials> read_basic(std::string_view field, std::span<char> room);

/// The challenge of a WWW-Authenticate or Proxy-Authenticate (2.1), the realm quoted.
std::string basic_challenge(std::string_view realm);

}  // namespace lockgate::wire
