// UTF-8 in text that anybody may have sent: what is a character, and what moves a
// terminal. For whoever passes such text on to people. Any thread.
#pragma once
#include <cstddef>
#include <string_view>

namespace lockgate {

/// The size in bytes of the character that `text`, which is not empty, begins with (RFC 3629); 0 if that is
/// none.
std::size_t utf8_size(std::string_view text);

/// Whether a character is one of U+0000 to U+001F or U+007F to U+009F; all of them move a terminal.
bool is_control(std::string_view character);

/// Whether a character shows nothing, or no more than a space, or turns the direction of what is around it:
/// what makes two texts look the same, or one like another.
bool is_invisible(std::string_view character);

/// Whether it is UTF-8 without control characters.
bool is_text(std::string_view text);

}  // namespace lockgate
