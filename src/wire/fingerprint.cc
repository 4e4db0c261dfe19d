#include "wire/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/digest.h"

namespace lockgate::wire {
namespace {

constexpr std::uint16_t kServerNameExtension = 0, kAlpnExtension = 16;

std::vector<std::uint16_t> without_grease(std::vector<std::uint16_t> values) {
  std::erase_if(values, is_grease);
  return values;
}

template <std::size_t kSize>
FixedText<kSize> fixed(std::string_view text) {
  CHECK(text.size() == kSize);
  FixedText<kSize> result;
  std::ranges::copy(text, result.characters.begin());
  return result;
}

std::string_view ja4_version(std::uint16_t version) {
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0x0002:
      return "s2";
    default:
      return "00";
  }
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// The ends of the first protocol: of its text, or of its hexadecimal form if either end is no letter or
/// digit. "Ignore GREASE values anywhere" includes protocols (RFC 8701, 2).
std::string ja4_protocol(const ClientHello& hello) {
  auto is_real = [](std::string_view name) {
    return name.size() != 2 || !is_grease(static_cast<std::uint16_t>(static_cast<std::uint8_t>(name[0]) << 8 |
                                                                     static_cast<std::uint8_t>(name[1])));
  };
  auto first = std::ranges::find_if(hello.alpn, is_real);
  if (first == hello.alpn.end()) return "00";
  bool plain = is_alphanumeric(first->front()) && is_alphanumeric(first->back());
  std::string ends = plain ? *first : hex(as_bytes(*first));
  return {ends.front(), ends.back()};
}

std::string hexadecimal_list(const std::vector<std::uint16_t>& values) {
  return fmt::format("{:04x}", fmt::join(values, ","));
}

std::string ja4_digest(std::string_view text) { return hex(Bytes(sha256(as_bytes(text))).first<6>()); }

std::string ja4_ciphers(std::vector<std::uint16_t> ciphers) {
  if (ciphers.empty()) return std::string(12, '0');
  std::ranges::sort(ciphers);
  return ja4_digest(hexadecimal_list(ciphers));
}

/// The server's name and the protocols differ from one connection of a client to the next, so these
/// extensions are left out of the digest.
std::string ja4_extensions(std::vector<std::uint16_t> extensions,
                           const std::vector<std::uint16_t>& signatures) {
  std::erase_if(extensions, [](auto type) { return type == kServerNameExtension || type == kAlpnExtension; });
  if (extensions.empty()) return std::string(12, '0');
  std::ranges::sort(extensions);
  std::string text = hexadecimal_list(extensions);
  if (!signatures.empty()) text += "_" + hexadecimal_list(signatures);
  return ja4_digest(text);
}

}  // namespace

std::string ja3_text(const ClientHello& hello) {
  return fmt::format("{},{},{},{},{}", hello.legacy_version,
                     fmt::join(without_grease(hello.cipher_suites), "-"),
                     fmt::join(without_grease(hello.extensions), "-"),
                     fmt::join(without_grease(hello.groups), "-"), fmt::join(hello.point_formats, "-"));
}

Ja3 ja3(const ClientHello& hello) { return fixed<32>(hex(md5(as_bytes(ja3_text(hello))))); }

Ja4 ja4(const ClientHello& hello) {
  constexpr std::size_t kMostCounted = 99;
  auto ciphers = without_grease(hello.cipher_suites);
  auto extensions = without_grease(hello.extensions);
  return fixed<36>(fmt::format(
      "t{}{}{:02}{:02}{}_{}_{}", ja4_version(hello.version()),
      hello.has_extension(kServerNameExtension) ? 'd' : 'i', std::min(ciphers.size(), kMostCounted),
      std::min(extensions.size(), kMostCounted), ja4_protocol(hello), ja4_ciphers(ciphers),
      ja4_extensions(extensions, without_grease(hello.signature_algorithms))));
}

}  // namespace lockgate::wire
