// Texts of HTTP as the operator writes them: paths, names and values of fields, where
// redirects lead. What values.h is for all values, this is for theirs. Any thread.
#pragma once
#include <string>
#include <string_view>

#include "config/values.h"

namespace lockgate::config {

/// A text in one of the forms of HTTP.
Outcome<std::string> parse_http_text(std::string_view text, As as);

/// What stands between the host and port of an http URL and its end, and the URL without it. The path is
/// empty if there is none, or if it is no such URL.
struct SplitUrl {
  std::string endpoint;
  std::string path;
};
SplitUrl split_path(std::string_view url);

/// What to do instead of changing a field that the proxy itself governs; empty for those that may be changed.
std::string_view instead_of_editing(std::string_view field);
/// Whether a field is of the connection: it is taken off before anybody asks for the fields of a request, and
/// whoever does would never find it.
bool is_of_connection(std::string_view field);

}  // namespace lockgate::config
