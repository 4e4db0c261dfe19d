// Text inside of HTML or XML: what would be markup is written as what it is. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace lockgate {

/// Appends `text` as it stands in an element or in a value in quotes (HTML, 13.3, Escaping a string).
void append_markup(std::string& out, std::string_view text);
std::string markup_of(std::string_view text);

}  // namespace lockgate
