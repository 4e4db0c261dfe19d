#include "base/markup.h"

namespace lockgate {

void append_markup(std::string& out, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
}

std::string markup_of(std::string_view text) {
  std::string markup;
  append_markup(markup, text);
  return markup;
}

}  // namespace lockgate
