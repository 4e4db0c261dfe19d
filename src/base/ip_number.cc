#include "base/ip_number.h"

#include <array>
#include <bit>
#include <cstring>

namespace lockgate {
namespace {

/// The number whose bytes in network order begin at `bytes`.
template <class Number>
Number in_order(const std::byte* bytes) {
  Number number = 0;
  std::memcpy(&number, bytes, sizeof(number));
  return std::endian::native == std::endian::little ? std::byteswap(number) : number;
}

}  // namespace

Wide number_of(const Ip& ip) {
  Bytes bytes = ip.bytes();
  if (bytes.size() == sizeof(std::uint32_t)) return in_order<std::uint32_t>(bytes.data());
  if (bytes.empty()) return 0;
  return Wide{in_order<std::uint64_t>(bytes.data())} << 64 | in_order<std::uint64_t>(bytes.data() + 8);
}

Ip ip_of(Wide number, const Ip& like) {
  std::array<std::byte, 16> room{};
  auto size = static_cast<std::size_t>(bits_of(like)) / 8;
  for (std::size_t i = size; i-- > 0; number >>= 8)
    room.at(i) = static_cast<std::byte>(static_cast<unsigned>(number) & 0xff);
  return Ip::from_bytes(Bytes(room).first(size));
}

int bits_of(const Ip& ip) { return ip.is_v4() ? 32 : 128; }

}  // namespace lockgate
