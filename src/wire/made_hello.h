// For tests: ClientHellos written byte by byte from what they shall say, right or
// wrong. Nothing here checks anything.
#pragma once
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockgate::wire {

/// `value` in `size` bytes, big-endian.
inline std::string made_number(std::size_t value, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}
/// `body` behind its length in `size` bytes.
inline std::string made_vector(std::string_view body, int size) {
  return made_number(body.size(), size).append(body);
}
inline std::string made_numbers(const std::vector<std::uint16_t>& values) {
  std::string bytes;
  for (auto value : values) bytes += made_number(value, 2);
  return bytes;
}
/// The body of a server_name extension with one host_name.
inline std::string made_server_name(std::string_view name) {
  return made_vector(made_number(0, 1) + made_vector(name, 2), 2);
}
inline std::string made_alpn(std::initializer_list<std::string_view> protocols) {
  std::string list;
  for (auto protocol : protocols) list += made_vector(protocol, 1);
  return made_vector(list, 2);
}

/// `message` in handshake records of at most `most` bytes each.
inline std::string in_records(std::string_view message, std::size_t most) {
  std::string bytes;
  for (std::size_t at = 0; at < message.size(); at += most) {
    bytes += "\x16\x03\x01" + made_vector(message.substr(at, most), 2);
  }
  return bytes;
}

struct MadeHello {
  std::uint16_t legacy_version = 0x0303;
  std::string random = std::string(32, 'r');
  std::string session = std::string(32, 's');
  std::vector<std::uint16_t> ciphers = {0x1301, 0xc02f};
  std::string compressions = std::string(1, '\0');
  std::vector<std::pair<std::uint16_t, std::string>> extensions = {};
  bool has_extensions = true;

  MadeHello& with(std::uint16_t type, std::string body) {
    extensions.emplace_back(type, std::move(body));
    return *this;
  }
  MadeHello& named(std::string_view name) { return with(0, made_server_name(name)); }

  /// The handshake message, its head included.
  std::string message() const {
    std::string body = made_number(legacy_version, 2) + random + made_vector(session, 1) +
                       made_vector(made_numbers(ciphers), 2) + made_vector(compressions, 1);
    std::string block;
    for (const auto& [type, content] : extensions) block += made_number(type, 2) + made_vector(content, 2);
    if (has_extensions) body += made_vector(block, 2);
    return made_number(1, 1) + made_vector(body, 3);
  }
  /// As it goes over the wire.
  std::string bytes() const { return in_records(message(), 1 << 14); }
};

}  // namespace lockgate::wire
