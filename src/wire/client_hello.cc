#include "wire/client_hello.h"

#include <algorithm>
#include <bitset>

#include "base/cursor.h"
#include "base/name_pattern.h"

namespace lockgate::wire {
namespace {

constexpr std::size_t kRecordHead = 5;
constexpr std::size_t kLongestRecord = 1 << 14;
constexpr std::size_t kMostRecords = 4096;
constexpr std::size_t kMessageHead = 4;
constexpr std::size_t kLongestMethod = 24;
constexpr std::size_t kMostProtocols = 256;
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;

// IANA, TLS ExtensionType values.
enum Extension : std::uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSupportedVersions = 43,
  kEncryptedClientHello = 0xfe0d,
};

FirstBytes look_for_sslv2(Bytes seen);
FirstBytes look_for_http(Bytes seen);
std::optional<Result<std::vector<std::byte>>> gather_message(Bytes seen);
Result<ClientHello> read_hello(Bytes body);
std::optional<Result<ClientHello>> read_sslv2(Bytes seen);

}  // namespace

FirstBytes look(Bytes seen) {
  if (seen.empty()) return FirstBytes::undecided;
  auto first = static_cast<std::uint8_t>(seen[0]);
  if (first == kHandshakeRecord) {
    if (seen.size() < 2) return FirstBytes::undecided;
    return seen[1] == std::byte{3} ? FirstBytes::tls : FirstBytes::other_plain;
  }
  return first & 0x80 ? look_for_sslv2(seen) : look_for_http(seen);
}

std::uint16_t ClientHello::version() const {
  std::uint16_t highest = 0;
  for (auto version : supported_versions) {
    if (!is_grease(version)) highest = std::max(highest, version);
  }
  return highest != 0 ? highest : legacy_version;
}

bool ClientHello::has_extension(std::uint16_t type) const {
  return std::ranges::find(extensions, type) != extensions.end();
}

std::optional<Result<ClientHello>> parse_client_hello(Bytes seen) {
  switch (look(seen)) {
    case FirstBytes::undecided:
      return {};
    case FirstBytes::sslv2:
      return read_sslv2(seen);
    case FirstBytes::tls:
      break;
    case FirstBytes::http:
    case FirstBytes::other_plain:
      return failure(Errc::bad_message, "looking for a hello");
  }
  auto message = gather_message(seen);
  if (!message) return {};
  if (!*message) return std::unexpected(message->error());
  return read_hello(Bytes(**message).subspan(kMessageHead));
}

namespace {

/// A record's length with the high bit set, the type, and a version of SSL 2.0 or 3.x (RFC 5246, E.2).
FirstBytes look_for_sslv2(Bytes seen) {
  if (seen.size() < 3) return FirstBytes::undecided;
  if (seen[2] != std::byte{kClientHello}) return FirstBytes::other_plain;
  if (seen.size() < 5) return FirstBytes::undecided;
  bool known = seen[3] == std::byte{3} || (seen[3] == std::byte{0} && seen[4] == std::byte{2});
  return known ? FirstBytes::sslv2 : FirstBytes::other_plain;
}

/// Methods may be any token; only those written like the registered ones are looked for, so that the
/// greeting of another protocol ("SSH-2.0-x y") is not taken for one.
FirstBytes look_for_http(Bytes seen) {
  std::string_view text = as_text(seen).substr(0, kLongestMethod + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && i > 0) return FirstBytes::http;
    bool method = (text[i] >= 'A' && text[i] <= 'Z') || (text[i] == '-' && i > 0);
    if (!method) return FirstBytes::other_plain;
  }
  return text.size() > kLongestMethod ? FirstBytes::other_plain : FirstBytes::undecided;
}

/// One record's part of the handshake message: how long it is and how much of it is here.
struct Fragment {
  std::size_t size;
  Bytes arrived;
};

/// Cuts the next record off `left`; nothing if its head has not all arrived.
std::optional<Result<Fragment>> next_record(Bytes& left) {
  constexpr auto kDoing = "reading the hello's record";
  if (left.size() < kRecordHead) return {};
  Cursor head(left.first(kRecordHead));
  std::uint8_t type = head.u8();
  std::uint16_t version = head.u16(), size = head.u16();
  if (type != kHandshakeRecord || version < 0x0300 || version > 0x0304 || size == 0) {
    return failure(Errc::bad_message, kDoing);
  }
  if (size > kLongestRecord) return failure(Errc::too_large, kDoing);
  left = left.subspan(kRecordHead);
  Bytes arrived = left.first(std::min<std::size_t>(size, left.size()));
  left = left.subspan(arrived.size());
  return Fragment{size, arrived};
}

/// The size of the whole message of which `begin` has arrived: of its head, until that is whole.
Result<std::size_t> message_size(Bytes begin) {
  if (!begin.empty() && begin[0] != std::byte{kClientHello}) {
    return failure(Errc::bad_message, "looking for a hello");
  }
  if (begin.size() < kMessageHead) return kMessageHead;
  std::size_t size = kMessageHead + Cursor(begin.subspan(1)).u24();
  if (size > kLongestHello) return failure(Errc::too_large, "reading the hello");
  return size;
}

/// The handshake message that the records of `seen` begin with; nothing if it has not all arrived.
std::optional<Result<std::vector<std::byte>>> gather_message(Bytes seen) {
  std::vector<std::byte> message;
  std::size_t size = kMessageHead, records = 0;
  for (Bytes left = seen; message.size() < size;) {
    if (++records > kMostRecords) return failure(Errc::too_large, "reading the hello's records");
    auto next = next_record(left);
    if (!next) return {};
    if (!*next) return std::unexpected(next->error());
    const auto& [fragment_size, arrived] = **next;
    message.insert(message.end(), arrived.begin(), arrived.end());
    auto known = message_size(message);
    if (!known) return std::unexpected(known.error());
    size = *known;
    std::size_t missing = fragment_size - arrived.size();
    if (message.size() >= kMessageHead && message.size() + missing > size) {
      return failure(Errc::bad_message, "reading what follows the hello");
    }
  }
  return message;
}

/// Reads all of `list`; false if it is empty or ends within a number.
bool read_numbers(Bytes list, std::vector<std::uint16_t>& numbers) {
  numbers.reserve(list.size() / 2);
  Cursor in(list);
  while (in.size() > 0) numbers.push_back(in.u16());
  return in.ok() && !numbers.empty();
}

bool read_prefixed_numbers(Bytes body, std::vector<std::uint16_t>& numbers) {
  Cursor in(body);
  Bytes list = in.vector16();
  return in.at_end() && read_numbers(list, numbers);
}

bool read_host_name(std::string_view name, ClientHello& hello) {
  auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (hello.name_kind != ServerName::none || name.empty() || name.size() > kLongestName + 1 ||
      !std::ranges::all_of(name, printable)) {
    return false;
  }
  hello.name_as_sent = name;
  if (is_ip_literal(name)) {
    hello.name_kind = ServerName::ip_literal;
  } else if (auto host = normalized_name(name)) {
    hello.name_kind = ServerName::host;
    hello.server_name = std::move(*host);
  } else {
    hello.name_kind = ServerName::not_a_host;
  }
  return true;
}

bool read_server_name(Bytes body, ClientHello& hello) {
  constexpr std::uint8_t kHostName = 0;
  Cursor in(body);
  Cursor list(in.vector16());
  if (!in.at_end() || list.at_end()) return false;
  while (list.size() > 0) {
    std::uint8_t type = list.u8();
    Bytes name = list.vector16();
    if (!list.ok()) return false;
    if (type == kHostName && !read_host_name(as_text(name), hello)) return false;
  }
  return list.ok();
}

/// Protocol names may hold any bytes, but not none (RFC 7301, 3.1).
bool read_alpn(Bytes body, ClientHello& hello) {
  Cursor in(body);
  Cursor list(in.vector16());
  if (!in.at_end() || list.at_end()) return false;
  while (list.size() > 0) {
    Bytes protocol = list.vector8();
    if (protocol.empty() || hello.alpn.size() == kMostProtocols) return false;
    hello.alpn.emplace_back(as_text(protocol));
  }
  return list.ok();
}

bool read_point_formats(Bytes body, ClientHello& hello) {
  Cursor in(body);
  Bytes list = in.vector8();
  for (std::byte format : list) hello.point_formats.push_back(static_cast<std::uint8_t>(format));
  return in.at_end() && !list.empty();
}

bool read_supported_versions(Bytes body, ClientHello& hello) {
  Cursor in(body);
  Bytes list = in.vector8();
  return in.at_end() && read_numbers(list, hello.supported_versions);
}

bool read_extension(std::uint16_t type, Bytes body, ClientHello& hello) {
  switch (type) {
    case kServerName:
      return read_server_name(body, hello);
    case kSupportedGroups:
      return read_prefixed_numbers(body, hello.groups);
    case kPointFormats:
      return read_point_formats(body, hello);
    case kSignatureAlgorithms:
      return read_prefixed_numbers(body, hello.signature_algorithms);
    case kAlpn:
      return read_alpn(body, hello);
    case kSupportedVersions:
      return read_supported_versions(body, hello);
    case kEncryptedClientHello:
      hello.ech = true;
      return true;
    default:
      return true;
  }
}

Result<void> read_extensions(Bytes block, ClientHello& hello) {
  std::bitset<1 << 16> met;
  for (Cursor in(block); !in.at_end();) {
    std::uint16_t type = in.u16();
    Bytes body = in.vector16();
    if (!in.ok() || met[type]) return failure(Errc::bad_message, "reading the hello's extensions");
    met.set(type);
    hello.extensions.push_back(type);
    if (!read_extension(type, body, hello)) {
      return failure(Errc::bad_message, type == kServerName ? "reading the hello's server name"
                                                            : "reading the hello's extensions");
    }
  }
  return {};
}

/// RFC 8446, 4.1.2; the extensions may be missing altogether (RFC 5246, 7.4.1.2).
Result<ClientHello> read_hello(Bytes body) {
  constexpr std::size_t kRandom = 32, kLongestSession = 32;
  ClientHello hello;
  Cursor in(body);
  hello.legacy_version = in.u16();
  in.take(kRandom);
  Bytes session = in.vector8();
  Bytes ciphers = in.vector16();
  Bytes compressions = in.vector8();
  if (!in.ok() || hello.legacy_version >> 8 != 3 || session.size() > kLongestSession ||
      compressions.empty() || !read_numbers(ciphers, hello.cipher_suites)) {
    return failure(Errc::bad_message, "reading the hello");
  }
  if (in.at_end()) return hello;
  Bytes extensions = in.vector16();
  if (!in.at_end()) return failure(Errc::bad_message, "reading the hello");
  if (auto read = read_extensions(extensions, hello); !read) return std::unexpected(read.error());
  return hello;
}

/// RFC 5246, E.2. Its length has 15 bits, so the format itself keeps it short.
std::optional<Result<ClientHello>> read_sslv2(Bytes seen) {
  Cursor in(seen);
  std::size_t size = in.u16() & 0x7fffu;
  if (in.size() < size) return {};
  Cursor message(in.take(size));
  ClientHello hello;
  hello.sslv2 = true;
  message.u8();
  hello.legacy_version = message.u16();
  std::uint16_t ciphers_size = message.u16(), session_size = message.u16(), challenge_size = message.u16();
  Cursor ciphers(message.take(ciphers_size));
  message.take(session_size);
  message.take(challenge_size);
  if (!message.at_end()) return failure(Errc::bad_message, "reading the hello");
  while (ciphers.size() > 0) {
    // A cipher of TLS has a zero before its two bytes; the others are of SSL 2.0 and say nothing to anyone.
    bool of_tls = ciphers.u8() == 0;
    std::uint16_t cipher = ciphers.u16();
    if (of_tls) hello.cipher_suites.push_back(cipher);
  }
  if (!ciphers.ok() || ciphers_size == 0) return failure(Errc::bad_message, "reading the hello");
  return hello;
}

}  // namespace
}  // namespace lockgate::wire
