// What a page says to a person, on one line: for logs that quote a peer's own words.
//
// No browser: tags go, the commonest entities are read, and a page of plain text stays
// as it is. The result is UTF-8 without control characters. Any thread.
#pragma once
#include <string>
#include <string_view>

namespace lockgate::wire {

/// The texts of an HTML page, its title first, as sentences one after the other. A text that an earlier one
/// holds is left out, as headings often repeat the title. Bytes that are no UTF-8 become '?'. Never longer
/// than the page. `cut`: the page was longer once, and half an entity at its end goes.
std::string page_text(std::string_view page, bool cut = false);

/// `text` in UTF-8, cut to at most `most` bytes, of which the last three are then dots.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace lockgate::wire
