#include "wire/proxy_header.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/cursor.h"

namespace lockgate::wire {
namespace {

using namespace std::string_view_literals;

constexpr auto kSignature1 = "PROXY "sv;
constexpr auto kSignature2 = "\r\n\r\n\0\r\nQUIT\n"sv;

bool agrees(Bytes seen, std::string_view signature) {
  auto size = std::min(seen.size(), signature.size());
  return as_text(seen.first(size)) == signature.substr(0, size);
}

std::optional<Result<ProxyHeader>> parse_line(Bytes seen);
std::optional<Result<ProxyHeader>> parse_binary(Bytes seen);
void write_line(ProxyHeaderBytes& out, const SocketAddress& source, const SocketAddress& destination);
void write_binary(ProxyHeaderBytes& out, const SocketAddress& source, const SocketAddress& destination,
                  const ProxyTlvs& tlvs);

}  // namespace

std::optional<Result<ProxyHeader>> parse_proxy_header(Bytes seen) {
  if (agrees(seen, kSignature1)) return parse_line(seen);
  if (agrees(seen, kSignature2)) return parse_binary(seen);
  return failure(Errc::bad_message, "looking for a PROXY header");
}

bool may_be_proxy_header(Bytes seen) { return agrees(seen, kSignature1) || agrees(seen, kSignature2); }

ProxyHeaderBytes write_proxy_header(ProxyVersion version, const SocketAddress& source,
                                    const SocketAddress& destination, const ProxyTlvs& tlvs) {
  ProxyHeaderBytes out;
  if (version == ProxyVersion::v1) {
    write_line(out, source, destination);
  } else {
    write_binary(out, source, destination, tlvs);
  }
  return out;
}

namespace {

void append(ProxyHeaderBytes& out, Bytes bytes) {
  CHECK(bytes.size() <= out.room.size() - out.size);
  std::ranges::copy(bytes, out.room.data() + out.size);
  out.size += bytes.size();
}

/// Both are IP or both are Unix; any other pair cannot be told.
bool is_pair(const SocketAddress& source, const SocketAddress& destination) {
  return !source.is_none() && !destination.is_none() && source.is_unix() == destination.is_unix();
}

bool is_v4_pair(const SocketAddress& source, const SocketAddress& destination) {
  return source.ip().is_v4() && destination.ip().is_v4();
}

// ---- Version 1: one line of text (2.1)

constexpr std::size_t kLongestLine = 107;  // with its end

/// Takes the word in front of the next space, and that space.
std::string_view next_word(std::string_view& line) {
  auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  return word;
}

/// None if `text` is not exactly such an address: Ip::parse() alone would take brackets, zones, the other
/// family.
Ip parse_ip(std::string_view text, bool v6) {
  auto alphabet = v6 ? "0123456789abcdefABCDEF:."sv : "0123456789."sv;
  if (text.find_first_not_of(alphabet) != text.npos || text.contains(':') != v6) return {};
  return Ip::parse(text).value_or(Ip());
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || (text.starts_with('0') && text.size() > 1)) return {};
  return port;
}

std::optional<Result<ProxyHeader>> parse_line(Bytes seen) {
  auto line = as_text(seen.first(std::min(seen.size(), kLongestLine)));
  auto end = line.find("\r\n");
  if (end == line.npos) {
    if (line.size() < kLongestLine) return {};
    return failure(Errc::bad_message, "looking for the end of a PROXY line");
  }
  ProxyHeader header;
  header.version = ProxyVersion::v1;
  header.size = end + 2;
  line = line.substr(kSignature1.size(), end - kSignature1.size());
  auto spaces = std::ranges::count(line, ' ');
  auto family = next_word(line);
  if (family == "UNKNOWN") return header;
  if ((family != "TCP4" && family != "TCP6") || spaces != 4) {
    return failure(Errc::bad_message, "reading the words of a PROXY line");
  }
  Ip source = parse_ip(next_word(line), family == "TCP6");
  Ip destination = parse_ip(next_word(line), family == "TCP6");
  auto source_port = parse_port(next_word(line));
  auto destination_port = parse_port(next_word(line));
  if (source.is_none() || destination.is_none() || !source_port || !destination_port) {
    return failure(Errc::bad_message, "reading the addresses of a PROXY line");
  }
  header.source = {source, *source_port};
  header.destination = {destination, *destination_port};
  return header;
}

void append_text(ProxyHeaderBytes& out, const Ip& ip, bool v6) {
  std::array<char, INET6_ADDRSTRLEN> room{};
  if (v6 && ip.is_v4()) {
    // inet_ntop() would end it as "::ffff:192.0.2.1", which this grammar does not have and httpd refuses.
    Cursor words(ip.bytes());
    unsigned first = words.u16(), second = words.u16();
    fmt::format_to(room.begin(), "::ffff:{:x}:{:x}", first, second);
  } else {
    inet_ntop(v6 ? AF_INET6 : AF_INET, ip.bytes().data(), room.data(), room.size());
  }
  append(out, as_bytes(room.data()));
}

void write_line(ProxyHeaderBytes& out, const SocketAddress& source, const SocketAddress& destination) {
  if (!is_pair(source, destination) || source.is_unix()) return append(out, as_bytes("PROXY UNKNOWN\r\n"));
  bool v6 = !is_v4_pair(source, destination);
  append(out, as_bytes(v6 ? "PROXY TCP6 " : "PROXY TCP4 "));
  append_text(out, source.ip(), v6);
  append(out, as_bytes(" "));
  append_text(out, destination.ip(), v6);
  std::array<char, sizeof " 65535 65535\r\n"> ports;
  auto end = fmt::format_to(ports.begin(), " {} {}\r\n", source.port(), destination.port());
  append(out, std::as_bytes(std::span(ports.begin(), end)));
}

// ---- Version 2: bytes (2.2)

constexpr std::size_t kFixedPart = 16;  // signature, version and command, family, length of what follows
constexpr std::size_t kLengthAt = 14;
constexpr std::uint8_t kVersion2 = 0x20, kLocal = 0x00, kProxy = 0x01;

/// Address family and transport; no others are relayed as a stream.
constexpr std::uint8_t kUnspecified = 0x00, kTcp4 = 0x11, kTcp6 = 0x21, kUnixStream = 0x31;

constexpr std::uint8_t kAlpn = 0x01, kAuthority = 0x02, kChecksum = 0x03, kUniqueId = 0x05, kSsl = 0x20;
constexpr std::size_t kTlvFrame = 3;  // type and length
constexpr std::size_t kLongestUniqueId = 128;
constexpr std::size_t kSmallestSsl = 5;

using UnixPath = std::array<std::byte, sizeof(sockaddr_un{}.sun_path)>;
static_assert(sizeof(UnixPath) == 108, "the size that the protocol gives a path is the one of Linux");

/// One step of a byte for CRC32c, reflected (RFC 4960, appendix B).
constexpr auto kCrc32cSteps = [] {
  std::array<std::uint32_t, 256> steps{};
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    steps[i] = i;
    for (int bit = 0; bit < 8; ++bit) steps[i] = steps[i] >> 1 ^ (steps[i] & 1 ? 0x82f63b78 : 0);
  }
  return steps;
}();

std::uint32_t crc32c(std::uint32_t sum, Bytes bytes) {
  for (std::byte b : bytes) sum = sum >> 8 ^ kCrc32cSteps[(sum ^ static_cast<std::uint32_t>(b)) & 0xff];
  return sum;
}

/// `stored` is the checksum's field inside `header`, and counts as zero (2.2.3).
bool checksum_holds(Bytes header, Bytes stored) {
  if (stored.size() != sizeof(std::uint32_t)) return false;
  auto before = static_cast<std::size_t>(stored.data() - header.data());
  constexpr std::array<std::byte, sizeof(std::uint32_t)> kZero{};
  auto sum = crc32c(~0U, header.first(before));
  sum = crc32c(sum, kZero);
  sum = crc32c(sum, header.subspan(before + stored.size()));
  return ~sum == Cursor(stored).u32();
}

/// Where the value of a TLV goes; nullptr if nobody asks for it.
Bytes* place_of(std::uint8_t type, ProxyTlvs& tlvs, Bytes& checksum) {
  switch (type) {
    case kAlpn:
      return &tlvs.alpn;
    case kAuthority:
      return &tlvs.authority;
    case kChecksum:
      return &checksum;
    case kUniqueId:
      return &tlvs.unique_id;
    case kSsl:
      return &tlvs.ssl;
    default:
      return nullptr;
  }
}

/// `cursor` stands behind the addresses of `header`, the whole of it.
Result<ProxyTlvs> read_tlvs(Cursor cursor, Bytes header) {
  ProxyTlvs tlvs;
  Bytes checksum;
  while (cursor.size() > 0) {
    Bytes* place = place_of(cursor.u8(), tlvs, checksum);
    Bytes value = cursor.vector16();
    if (!place) continue;
    bool told = place->data() != nullptr;
    if (told) return failure(Errc::bad_message, "reading a TLV that a PROXY header has twice");
    *place = value;
  }
  bool told_ssl = tlvs.ssl.data() != nullptr, told_checksum = checksum.data() != nullptr;
  if (!cursor.ok() || tlvs.unique_id.size() > kLongestUniqueId ||
      (told_ssl && tlvs.ssl.size() < kSmallestSsl)) {
    return failure(Errc::bad_message, "reading the TLVs of a PROXY header");
  }
  if (told_checksum && !checksum_holds(header, checksum)) {
    return failure(Errc::bad_message, "verifying the checksum of a PROXY header");
  }
  return tlvs;
}

SocketAddress read_path(Cursor& cursor) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(as_text(cursor.take(sizeof(UnixPath))), address.sun_path);
  return SocketAddress::from_system(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

/// Leaves `cursor` behind the addresses, or failed.
void read_addresses(Cursor& cursor, std::uint8_t family, ProxyHeader& header) {
  if (family == kUnspecified) return;
  if (family == kUnixStream) {
    header.source = read_path(cursor);
    header.destination = read_path(cursor);
    return;
  }
  std::size_t size = family == kTcp4 ? 4 : 16;
  Ip source = Ip::from_bytes(cursor.take(size));
  Ip destination = Ip::from_bytes(cursor.take(size));
  header.source = {source, cursor.u16()};
  header.destination = {destination, cursor.u16()};
}

std::optional<Result<ProxyHeader>> parse_binary(Bytes seen) {
  if (seen.size() < kFixedPart) return {};
  Cursor fixed(seen.first(kFixedPart));
  fixed.take(kSignature2.size());
  auto version_and_command = fixed.u8();
  auto family = fixed.u8();
  auto size = kFixedPart + fixed.u16();
  bool local = version_and_command == (kVersion2 | kLocal);
  if (!local && version_and_command != (kVersion2 | kProxy)) {
    return failure(Errc::bad_message, "reading the version and command of a PROXY header");
  }
  bool known = family == kUnspecified || family == kTcp4 || family == kTcp6 || family == kUnixStream;
  if (!local && !known) return failure(Errc::bad_message, "reading the family of a PROXY header");
  if (size > kLargestProxyHeader) return failure(Errc::too_large, "reading a PROXY header");
  if (seen.size() < size) return {};

  ProxyHeader header;
  header.version = ProxyVersion::v2;
  header.size = size;
  if (local) {
    header.command = ProxyCommand::local;
    return header;  // "discard the protocol block including the family"
  }
  Cursor cursor(seen.first(size).subspan(kFixedPart));
  read_addresses(cursor, family, header);
  if (!cursor.ok()) return failure(Errc::bad_message, "reading the addresses of a PROXY header");
  auto tlvs = read_tlvs(cursor, seen.first(size));
  if (!tlvs) return std::unexpected(tlvs.error());
  header.tlvs = *tlvs;
  return header;
}

template <std::unsigned_integral Number>
void append_number(ProxyHeaderBytes& out, Number number) {
  for (std::size_t byte = sizeof number; byte-- > 0;) {
    std::array one = {static_cast<std::byte>(number >> 8 * byte)};
    append(out, one);
  }
}

std::uint8_t family_of(const SocketAddress& source, const SocketAddress& destination) {
  if (!is_pair(source, destination)) return kUnspecified;
  if (source.is_unix()) return kUnixStream;
  return is_v4_pair(source, destination) ? kTcp4 : kTcp6;
}

void append_path(ProxyHeaderBytes& out, std::string_view path) {
  UnixPath room{};
  if (path != SocketAddress::kUnnamed) std::ranges::copy(as_bytes(path.substr(0, room.size())), room.begin());
  append(out, room);
}

void append_ip(ProxyHeaderBytes& out, const Ip& ip, std::uint8_t family) {
  if (family == kTcp4) return append(out, ip.bytes());
  append(out, ip.mapped());
}

void append_addresses(ProxyHeaderBytes& out, std::uint8_t family, const SocketAddress& source,
                      const SocketAddress& destination) {
  if (family == kUnspecified) return;
  if (family == kUnixStream) {
    append_path(out, source.path());
    append_path(out, destination.path());
    return;
  }
  append_ip(out, source.ip(), family);
  append_ip(out, destination.ip(), family);
  append_number(out, source.port());
  append_number(out, destination.port());
}

void append_tlv(ProxyHeaderBytes& out, std::uint8_t type, Bytes value) {
  if (value.empty() || kTlvFrame + value.size() > out.room.size() - out.size) return;
  append_number(out, type);
  append_number(out, static_cast<std::uint16_t>(value.size()));
  append(out, value);
}

void write_binary(ProxyHeaderBytes& out, const SocketAddress& source, const SocketAddress& destination,
                  const ProxyTlvs& tlvs) {
  CHECK(tlvs.unique_id.size() <= kLongestUniqueId);
  auto family = family_of(source, destination);
  append(out, as_bytes(kSignature2));
  bool for_itself = source.is_none() && destination.is_none();
  append_number(out, static_cast<std::uint8_t>(kVersion2 | (for_itself ? kLocal : kProxy)));
  append_number(out, family);
  append_number(out, std::uint16_t{0});
  append_addresses(out, family, source, destination);
  append_tlv(out, kUniqueId, tlvs.unique_id);
  append_tlv(out, kAuthority, tlvs.authority);
  append_tlv(out, kAlpn, tlvs.alpn);
  append_tlv(out, kSsl, tlvs.ssl);
  auto length = out.size - kFixedPart;
  out.room[kLengthAt] = static_cast<std::byte>(length >> 8);
  out.room[kLengthAt + 1] = static_cast<std::byte>(length & 0xff);
}

}  // namespace
}  // namespace lockgate::wire
