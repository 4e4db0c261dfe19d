// Passwords as files of users store them: checked, made, and told apart by scheme.
// libxcrypt, apr-util and libcrypto do the work.
//
// A check takes as long as the scheme and its cost want, up to seconds: never on an event
// loop. What a check costs is bounded, for scheme_of() refuses hashes that cost more.
// Copies of a password are wiped. Any thread.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace lockgate {

enum class PasswordScheme : std::uint8_t {
  bcrypt,         // $2y$, $2a$, $2b$
  yescrypt,       // $y$
  gost_yescrypt,  // $gy$
  sha512,         // $6$
  sha256,         // $5$
  apr1,           // $apr1$, Apache's MD5
  md5,            // $1$
  ssha512,        // {SSHA512}
  ssha256,        // {SSHA256}
  ssha,           // {SSHA}
  sha,            // {SHA}, without salt
  des,            // crypt as it was: 13 characters, of a password's first 8
};
std::string_view name_of(PasswordScheme scheme);
/// The scheme of that name, as "bcrypt" or "sha512".
std::optional<PasswordScheme> scheme_named(std::string_view name);

/// Longer passwords match nothing, nor do those with a NUL. libxcrypt takes no more.
inline constexpr std::size_t kLongestPassword = 511;

/// The scheme of a stored hash that is complete and well-formed; or why it cannot be used, as in "has a
/// password in clear ...", with nothing of the hash in it.
std::expected<PasswordScheme, std::string> scheme_of(std::string_view hash);
/// Whoever steals the file has the passwords of most people soon.
bool is_weak(PasswordScheme scheme);

enum class PasswordMatch : std::uint8_t {
  no,
  yes,
  unknown,  // the C library cannot tell: the memory that yescrypt wants is not to be had
};
/// Whether `hash`, which scheme_of() knows, is one of `password`. Takes as long for passwords that match
/// nothing, and compares in constant time.
PasswordMatch verify_password(std::string_view password, std::string_view hash);

/// A new hash with a salt of its own; without a cost, the scheme's usual one. The error is a sentence.
std::expected<std::string, std::string> make_password_hash(PasswordScheme scheme,
                                                           std::optional<unsigned> cost,
                                                           std::string_view password);

}  // namespace lockgate
