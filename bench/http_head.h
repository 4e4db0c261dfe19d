// HTTP head: the heads of HTTP/1.1 messages, read as they arrive, and their fields.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lockgate::bench {

/// Finds where a head ends in what arrives.
class HeadReader {
 public:
  struct Read {
    std::string_view head;  // up to its blank line; valid until the next call
    std::span<const std::uint8_t> rest;
  };
  /// The head, once it is complete, and what followed it in `bytes`.
  std::optional<Read> take(std::span<const std::uint8_t> bytes);

 private:
  std::string begun_;  // of a head that comes in pieces
  bool complete_ = false;
};

/// The first line of a head, without its end.
std::string_view first_line(std::string_view head);
/// `lower` is in lower case already.
bool is_name(std::string_view name, std::string_view lower);
/// Ends the program if it is no number.
std::uint64_t number_in(std::string_view text);

/// Calls `then(name, value)` for each field.
template <typename Then>
void for_each_field(std::string_view head, Then then) {
  head.remove_prefix(first_line(head).size() + 2);
  while (!head.empty()) {
    const std::string_view line = first_line(head);
    head.remove_prefix(line.size() + 2);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    then(line.substr(0, colon), value == std::string_view::npos ? std::string_view() : line.substr(value));
  }
}

}  // namespace lockgate::bench
