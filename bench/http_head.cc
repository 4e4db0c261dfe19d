#include "http_head.h"

#include <algorithm>
#include <charconv>

#include "failure.h"

namespace lockgate::bench {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::size_t kLongest = 8192;

}  // namespace

std::optional<HeadReader::Read> HeadReader::take(std::span<const std::uint8_t> bytes) {
  if (complete_) begun_.clear();
  complete_ = false;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t before = begun_.size();
  if (before > 0) begun_ += text;
  const std::string_view whole = before > 0 ? begun_ : text;
  const std::size_t end = whole.find(kEnd, before < kEnd.size() ? 0 : before - kEnd.size());
  if (end == std::string_view::npos) {
    if (before == 0) begun_ = text;
    if (begun_.size() > kLongest) fail("a head that does not end");
    return std::nullopt;
  }
  complete_ = true;
  return Read{.head = whole.substr(0, end + 2), .rest = bytes.subspan(end + kEnd.size() - before)};
}

std::string_view first_line(std::string_view head) {
  const std::size_t end = head.find("\r\n");
  if (end == std::string_view::npos) fail("a line of a head without its end");
  return head.substr(0, end);
}

bool is_name(std::string_view name, std::string_view lower) {
  return std::ranges::equal(name, lower, [](char ours, char other) {
    return (ours >= 'A' && ours <= 'Z' ? static_cast<char>(ours + 32) : ours) == other;
  });
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) fail("not a number", text);
  return value;
}

}  // namespace lockgate::bench
