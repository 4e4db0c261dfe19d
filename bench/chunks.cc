#include "chunks.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "failure.h"

namespace lockgate::bench {

std::span<const std::uint8_t> Chunks::next(std::span<const std::uint8_t>& bytes) {
  while (!bytes.empty() && !finished()) {
    if (expects_ == Expects::data) {
      const auto data = bytes.first(std::min<std::uint64_t>(bytes.size(), left_));
      bytes = bytes.subspan(data.size());
      left_ -= data.size();
      if (left_ == 0) expects_ = Expects::end_of_data;
      return data;
    }
    const auto byte = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    line_ += byte;
    if (byte != '\n') continue;
    if (!line_.ends_with("\r\n")) fail("client: a line of the chunks' framing that ends in LF alone");
    take_line(std::string_view(line_).substr(0, line_.size() - 2));
    line_.clear();
  }
  return {};
}

void Chunks::take_line(std::string_view line) {
  if (expects_ == Expects::size) {
    const std::string_view digits = line.substr(0, line.find_first_of("; "));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
    if (error != std::errc{} || end != digits.data() + digits.size())
      fail("client: not a chunk's size", line);
    expects_ = left_ > 0 ? Expects::data : Expects::trailer;
  } else if (expects_ == Expects::end_of_data) {
    if (!line.empty()) fail("client: a chunk is longer than it says");
    expects_ = Expects::size;
  } else if (line.empty()) {
    expects_ = Expects::nothing;
  }
}

}  // namespace lockgate::bench
