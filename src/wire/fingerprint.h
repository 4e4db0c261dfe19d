// Fingerprints of a ClientHello: JA3 and JA4, which tell client programs apart by
// what they offer. They cost a digest or two, so ask only where one is wanted.
//
// Neither proves anything: a client can send any hello it likes. Any thread.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "wire/client_hello.h"

namespace lockgate::wire {

/// A text of exactly `kSize` characters, held in place.
template <std::size_t kSize>
struct FixedText {
  std::array<char, kSize> characters;

  std::string_view text() const { return {characters.data(), kSize}; }
  bool operator==(const FixedText&) const = default;
};

using Ja3 = FixedText<32>;
using Ja4 = FixedText<36>;

/// "771,4865-4866,0-10-11,29-23,0": version, ciphers, extensions, groups and point formats, without GREASE
/// (github.com/salesforce/ja3).
std::string ja3_text(const ClientHello& hello);
/// The MD5 of ja3_text() in hexadecimal.
Ja3 ja3(const ClientHello& hello);

/// "t13d1516h2_8daaf6152771_e5627efa2ab1": FoxIO's JA4 for TLS over TCP
/// (github.com/FoxIO-LLC/ja4, technical_details/JA4.md).
Ja4 ja4(const ClientHello& hello);

}  // namespace lockgate::wire
