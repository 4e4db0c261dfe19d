// The smallest pieces of HTTP/1, which heads, trailer sections and chunks are made of:
// what a byte may be part of, the end of a line, and the field line (RFC 9112, 5).
//
// Each byte is looked up once, in one table. What is read stands in the bytes it was
// read from and lives no longer than they. Pure; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wire/http_head.h"

namespace lockgate::wire {

/// What a byte may be part of, as bits.
enum Part : std::uint8_t {
  kOfToken = 1,   // RFC 9110, 5.6.2
  kOfValue = 2,   // of a field's value, and so of any line: no control character but the tab (RFC 9110, 5.5)
  kOfTarget = 4,  // printable ASCII; a fragment never belongs to a target (RFC 9112, 3.2)
  kOfSpace = 8,   // blank or tab (RFC 9110, 5.6.3)
  kOfNumber = 16,
};

constexpr std::array<std::uint8_t, 256> parts_of_bytes() {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) {
    bool digit = byte >= '0' && byte <= '9', space = byte == ' ' || byte == '\t';
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool mark = kMarks.contains(static_cast<char>(byte)), visible = byte > ' ' && byte < 0x7f;
    unsigned parts = (digit || letter || mark ? kOfToken : 0U) | (space ? kOfSpace : 0U) |
                     (visible || space || byte > 0x7f ? kOfValue : 0U) | (digit ? kOfNumber : 0U) |
                     (visible && byte != '#' ? kOfTarget : 0U);
    table[byte] = static_cast<std::uint8_t>(parts);
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kPartsOfBytes = parts_of_bytes();

inline bool is(Part part, char c) { return (kPartsOfBytes[static_cast<unsigned char>(c)] & part) != 0; }
inline bool is_all(Part part, std::string_view text) {
  for (char c : text) {
    if (!is(part, c)) return false;
  }
  return true;
}
inline bool is_token(std::string_view text) { return !text.empty() && is_all(kOfToken, text); }
inline bool is_value(std::string_view text) { return is_all(kOfValue, text); }

/// A text without the optional white space around it (RFC 9110, 5.6.3).
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is(kOfSpace, text.front())) text.remove_prefix(1);
  while (!text.empty() && is(kOfSpace, text.back())) text.remove_suffix(1);
  return text;
}

/// Whether eight bytes are all part of a value, looked at as one number; that a tab is, too, is not seen
/// here.
inline bool are_eight_of_value(const char* at) {
  constexpr std::uint64_t kEach = 0x0101010101010101, kHighest = 0x80 * kEach;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  std::uint64_t from_delete = bytes ^ (0x7f * kEach);
  std::uint64_t controls = (bytes - ' ' * kEach) & ~bytes, deletes = (from_delete - kEach) & ~from_delete;
  return ((controls | deletes) & kHighest) == 0;
}

/// What an attempt to read came to: done, or not yet, or the status that a client is refused with.
enum class Step : std::int16_t {
  done = 0,
  more = 1,  // has to arrive
  broken = 400,
  long_target = 414,
  too_much = 431,
  other_version = 505,
};

/// What has arrived and is still to be read.
struct Unread {
  const char* at;
  const char* end;

  explicit Unread(std::string_view text) : at(text.data()), end(text.data() + text.size()) {}
  bool empty() const { return at == end; }
  /// The longest run of bytes that may be part of `part`, which is then read.
  std::string_view run(Part part) {
    const char* begin = at;
    while (at != end && is(part, *at)) ++at;
    return {begin, at};
  }
  /// As run(kOfValue), but for what is long.
  std::string_view run_of_value() {
    const char* begin = at;
    while (end - at >= 8 && are_eight_of_value(at)) at += 8;
    run(kOfValue);
    return {begin, at};
  }
};

/// CR LF, and nothing less.
Step read_line_end(Unread& unread);
/// A name, a colon, a value without the white space around it, and the line's end. No white space before the
/// colon and no folded lines (RFC 9112, 5.1 and 5.2). What is wrong is so at its first wrong byte.
Step read_field_line(Unread& unread, HeadField& field);

}  // namespace lockgate::wire
