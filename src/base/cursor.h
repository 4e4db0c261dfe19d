// Reads big-endian numbers and slices out of Bytes without ever leaving them.
//
// A read past the end fails the cursor for good: every later read gives zero or
// nothing, so a parser reads a whole structure and asks ok() once.
#pragma once
#include "base/bytes.h"

namespace lockgate {

class Cursor {
 public:
  explicit Cursor(Bytes bytes) : left_(bytes) {}

  /// False once any read wanted more than there was.
  bool ok() const { return ok_; }
  /// True when all was read and nothing failed.
  bool at_end() const { return ok_ && left_.empty(); }
  std::size_t size() const { return left_.size(); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return number(3); }
  std::uint32_t u32() { return number(4); }

  /// The next `size` bytes; none, and a failed cursor, if there are fewer.
  Bytes take(std::size_t size) {
    if (size > left_.size()) return fail();
    Bytes taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  /// A vector with a length prefix of one, two or three bytes (RFC 8446, 3.4).
  Bytes vector8() { return take(u8()); }
  Bytes vector16() { return take(u16()); }
  Bytes vector24() { return take(u24()); }

  /// All that is left, which is then read.
  Bytes rest() { return take(left_.size()); }

 private:
  Bytes fail() {
    ok_ = false;
    left_ = {};
    return {};
  }
  std::uint32_t number(std::size_t size) {
    Bytes bytes = take(size);
    std::uint32_t value = 0;
    for (std::byte b : bytes) value = value << 8 | static_cast<std::uint32_t>(b);
    return value;
  }

  Bytes left_;
  bool ok_ = true;
};

}  // namespace lockgate
