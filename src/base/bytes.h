// The two words for memory that travels: Bytes to look at, Room to fill.
//
// Neither owns anything. Whoever hands one out says how long it lives; on the
// data path that is "until the next call on the same object".
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lockgate {

using Bytes = std::span<const std::byte>;
using Room = std::span<std::byte>;

/// The bytes of a text, without copying.
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Bytes seen as text; the encoding is whatever the bytes are.
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Empties a vector or a string and gives its memory back, which assigning `{}` to it does not.
template <class Container>
void release(Container& container) {
  Container().swap(container);
}

}  // namespace lockgate
