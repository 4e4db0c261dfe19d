// Dates of HTTP: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
//
// Written in that form, and read in the two obsolete ones as well. Pure; any thread.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace lockgate::wire {

/// A date as it is written, made from the whole seconds of a time.
class HttpDate {
 public:
  explicit HttpDate(WallTime time);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 29> text_;
};

/// The time of a date in any of the three forms. Nothing if it is none; the name of the day is not checked
/// against the day. A year of two digits is within the fifty years around `now`.
std::optional<WallTime> read_http_date(std::string_view text, WallTime now);

}  // namespace lockgate::wire
