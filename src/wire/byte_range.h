// The part of a file that a client asks for in Range (RFC 9110, 14).
//
// One range is served. Of several, or of what is no range of bytes, the whole is: 14.2
// lets a server take no notice, and many small ranges cost more than they save. Pure;
// any thread.
#pragma once
#include <cstdint>
#include <string_view>

namespace lockgate::wire {

struct ByteRange {
  enum class Kind : std::uint8_t { whole, part, none };  // none: nothing of what was asked for is there
  Kind kind = Kind::whole;
  std::uint64_t first = 0, size = 0;  // of whole and part
};

/// What `value` asks for of `size` bytes.
ByteRange read_byte_range(std::string_view value, std::uint64_t size);

}  // namespace lockgate::wire
