// LineBuilder: one line of a log, as logfmt text (key=value) or as JSON.
//
// It writes into room of its own and allocates nothing. What does not fit is left out
// and marked with cut=true. Values from outside cannot forge a line or a field: text
// that is not plain is quoted and escaped as a JSON string, and bytes that are not
// UTF-8 become U+FFFD.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace lockgate {

enum class LineFormat : std::uint8_t { text, json };

class LineBuilder {
 public:
  static constexpr std::size_t kLongest = 4096;

  explicit LineBuilder(LineFormat format) : format_(format) {}

  void field(std::string_view name, std::string_view value);
  void field(std::string_view name, const char* value) { field(name, std::string_view(value)); }
  void field(std::string_view name, std::uint64_t value);
  /// Three digits behind the point.
  void field(std::string_view name, double value);
  void field(std::string_view name, bool value);
  /// Nothing if `value` is empty.
  void optional(std::string_view name, std::string_view value) {
    if (!value.empty()) field(name, value);
  }
  /// Its beginning, which takes about `most` bytes, and the mark of what was cut if that is not all.
  void shortened(std::string_view name, std::string_view value, std::size_t most);
  /// A quoted value that is cut short, instead of left out, where the room ends; to be the last field.
  void sentence(std::string_view name, std::string_view value);
  /// "2026-11-20T18:55:01.123Z" (RFC 3339).
  void time(std::string_view name, WallTime value);

  /// The finished line with its newline; valid until the builder is gone. To be called once, at the end.
  std::string_view line();

 private:
  static constexpr std::size_t kTail = 2;      // a closing brace and a newline
  static constexpr std::size_t kReserve = 32;  // for them and the mark of what was cut

  void begin(std::string_view name);
  void end(std::size_t mark);
  void begin_of(std::string_view name, std::string_view value, std::size_t reserve);
  void put(std::string_view text);
  void put_quoted(std::string_view value);

  LineFormat format_;
  bool cut_ = false;
  bool overflown_ = false;  // the field under way does not fit
  std::size_t reserve_ = kReserve;
  std::size_t size_ = 0;
  std::array<char, kLongest> room_;
};

}  // namespace lockgate
