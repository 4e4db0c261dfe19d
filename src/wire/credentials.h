// A user and a password for a parent: read from the content of a file, and kept out of
// whatever is told to people. Nothing here puts them into an error. Any thread.
#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace lockgate::wire {

/// Larger files are refused.
inline constexpr std::size_t kLongestCredentials = 1024;

struct Credentials {
  std::string user, password;
};

/// Reads "user:password", one line, its end optional (LF or CR LF). All that stands before the first colon is
/// the user, which has none (RFC 7617, 2); everything else is kept as it is, spaces and UTF-8 included. The
/// error is what is wrong with the file, as in "has no colon ...", and tells nothing of what is in it.
std::expected<Credentials, std::string> read_credentials(std::string_view file);

/// What Proxy-Authorization says in the Basic scheme (RFC 7617); empty if both are.
std::string basic_authorization(std::string_view user, std::string_view password);

/// `text` with "***" for the user, the password, either with its spaces made single, and the form that HTTP
/// Basic gives them. `cut`: the text was longer once, and what might be the beginning of one of them at its
/// end goes, too.
std::string without_credentials(std::string_view text, std::string_view user, std::string_view password,
                                bool cut);

}  // namespace lockgate::wire
