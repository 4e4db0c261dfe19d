#include "base/escaped_line.h"

#include <algorithm>

namespace lockgate {
namespace {

constexpr std::size_t kNewline = 1;
constexpr std::string_view kCut = "...";
constexpr std::size_t kEscape = 4;  // \xhh

bool is_harmless(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

}  // namespace

void EscapedLine::text(std::string_view text) {
  text = text.substr(0, kLongest - kNewline - size_);
  std::ranges::copy(text, room_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += text.size();
}

void EscapedLine::value(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (value.empty()) return text("-");
  std::size_t end = std::min(size_ + kLongestValue, kLongest - kNewline);
  for (char c : value) {
    if (size_ + kEscape + kCut.size() > end) return text(kCut);
    if (is_harmless(c)) {
      room_[size_++] = c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    text("\\x");
    room_[size_++] = kDigits[byte >> 4];
    room_[size_++] = kDigits[byte & 15];
  }
}

std::string_view EscapedLine::line() {
  room_[size_++] = '\n';
  return {room_.data(), size_};
}

}  // namespace lockgate
