// EscapedLine: one line of a log in a form that is not ours: Apache's, or the operator's.
//
// It writes into room of its own and allocates nothing; what does not fit is left out.
// Values from outside can end neither the line nor a quoted part of it: a quote, a
// backslash and whatever is not printable ASCII is written as \xhh.
#pragma once
#include <array>
#include <cstddef>
#include <string_view>

namespace lockgate {

class EscapedLine {
 public:
  static constexpr std::size_t kLongest = 16 * 1024;
  /// A value that takes more ends with "..." there.
  static constexpr std::size_t kLongestValue = 4096;

  /// The operator's own words, as they are.
  void text(std::string_view text);
  /// A value, "-" for an empty one.
  void value(std::string_view value);

  /// The finished line with its newline; valid until this is gone. To be called once, at the end.
  std::string_view line();

 private:
  std::size_t size_ = 0;
  std::array<char, kLongest> room_;
};

}  // namespace lockgate
