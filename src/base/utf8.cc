#include "base/utf8.h"

#include <algorithm>

namespace lockgate {
namespace {

struct Range {
  char32_t first, last;
};
// Spaces but for U+0020, the separators, and what Unicode calls format characters or ignorable by default
// (DerivedCoreProperties.txt), with the letters that are blank.
constexpr Range kInvisible[] = {
    {0xa0, 0xa0},       {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},
    {0x1680, 0x1680},   {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f},   {0x2028, 0x202f},
    {0x205f, 0x206f},   {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

char32_t number_of(std::string_view character) {
  char32_t number = static_cast<unsigned char>(character[0]);
  if (character.size() > 1) number &= 0x7fU >> character.size();
  for (char c : character.substr(1)) number = number << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return number;
}

}  // namespace

std::size_t utf8_size(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && follows(1)) return 2;
  bool three = first >= 0xe0 && first <= 0xef && follows(1) && follows(2);
  if (three && !(first == 0xe0 && byte(1) < 0xa0) && !(first == 0xed && byte(1) > 0x9f)) return 3;
  bool four = first >= 0xf0 && first <= 0xf4 && follows(1) && follows(2) && follows(3);
  if (four && !(first == 0xf0 && byte(1) < 0x90) && !(first == 0xf4 && byte(1) > 0x8f)) return 4;
  return 0;
}

bool is_control(std::string_view character) {
  auto last = static_cast<unsigned char>(character.back());
  if (character.size() == 1) return last < ' ' || last == 0x7f;
  return character.size() == 2 && character.front() == '\xc2' && last < 0xa0;
}

bool is_invisible(std::string_view character) {
  char32_t number = number_of(character);
  return std::ranges::any_of(kInvisible,
                             [&](const Range& one) { return number >= one.first && number <= one.last; });
}

bool is_text(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = utf8_size(text);
    if (size == 0 || is_control(text.substr(0, size))) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace lockgate
