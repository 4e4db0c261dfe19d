// SipHash-2-4 (Aumasson and Bernstein, 2012): a hash that nobody foresees who does not
// know its secret, for tables whose keys come from outside. Any thread.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

namespace lockgate {

using HashSecret = std::array<std::uint64_t, 2>;

constexpr std::uint64_t keyed_hash(const HashSecret& secret, std::string_view text) {
  std::uint64_t a = secret[0] ^ 0x736f6d6570736575, b = secret[1] ^ 0x646f72616e646f6d,
                c = secret[0] ^ 0x6c7967656e657261, d = secret[1] ^ 0x7465646279746573;
  auto rounds = [&](int count) {
    while (count-- > 0) {
      a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
      c += d, d = std::rotl(d, 16) ^ c;
      a += d, d = std::rotl(d, 21) ^ a;
      c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
    }
  };
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * (i % 8);
    if (i % 8 != 7) continue;
    d ^= word;
    rounds(2);
    a ^= word;
    word = 0;
  }
  word |= std::uint64_t{text.size()} << 56;
  d ^= word;
  rounds(2);
  a ^= word;
  c ^= 0xff;
  rounds(4);
  return a ^ b ^ c ^ d;
}

}  // namespace lockgate
