#include "base/utf8.h"

namespace lockgate {

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

}  // namespace lockgate
