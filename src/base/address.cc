#include "base/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace lockgate {
namespace {

constexpr std::size_t kMappedPrefix = 12;
constexpr std::array<std::uint8_t, kMappedPrefix> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<int> parse_number(std::string_view text, int most) {
  unsigned value = 0;  // which takes no sign
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > static_cast<unsigned>(most))
    return {};
  return static_cast<int>(value);
}

std::optional<std::uint32_t> parse_scope(std::string_view zone) {
  if (zone.empty() || zone.size() >= IF_NAMESIZE) return {};
  if (auto number = parse_number(zone, INT32_MAX)) return static_cast<std::uint32_t>(*number);
  std::uint32_t index = if_nametoindex(std::string(zone).c_str());
  if (index == 0) return {};
  return index;
}

}  // namespace

Ip Ip::from_bytes(Bytes bytes) {
  Ip ip;
  bool mapped = bytes.size() == 16 && std::memcmp(bytes.data(), kMapped.data(), kMappedPrefix) == 0;
  if (mapped) bytes = bytes.subspan(kMappedPrefix);
  if (bytes.size() != 4 && bytes.size() != 16) return ip;
  ip.family_ = bytes.size() == 4 ? Family::v4 : Family::v6;
  std::copy(bytes.begin(), bytes.end(), ip.bytes_.begin());
  return ip;
}

std::optional<Ip> Ip::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
  std::optional<std::uint32_t> scope;
  if (auto percent = text.find('%'); percent != std::string_view::npos) {
    scope = parse_scope(text.substr(percent + 1));
    if (!scope) return {};
    text = text.substr(0, percent);
  }
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return {};
  std::string terminated(text);
  std::array<std::byte, 16> room{};
  if (!scope && inet_pton(AF_INET, terminated.c_str(), room.data()) == 1) {
    return from_bytes(Bytes(room).first(4));
  }
  if (inet_pton(AF_INET6, terminated.c_str(), room.data()) != 1) return {};
  Ip ip = from_bytes(room);
  if (ip.is_v6()) ip.scope_ = scope.value_or(0);
  return ip;
}

bool Ip::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  return is_v6() && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == std::byte{0}; }) &&
         bytes_[15] == std::byte{1};
}

bool Ip::is_unspecified() const {
  return !is_none() && std::all_of(bytes_.begin(), bytes_.end(), [](auto b) { return b == std::byte{0}; });
}

Bytes Ip::bytes() const {
  switch (family_) {
    case Family::none:
      return {};
    case Family::v4:
      return Bytes(bytes_).first(4);
    case Family::v6:
      return Bytes(bytes_);
  }
  return {};
}

std::array<std::byte, 16> Ip::mapped() const {
  if (!is_v4()) return bytes_;
  std::array<std::byte, 16> room{};
  std::memcpy(room.data(), kMapped.data(), kMappedPrefix);
  std::copy_n(bytes_.begin(), 4, room.begin() + kMappedPrefix);
  return room;
}

std::string Ip::text() const {
  if (is_none()) return "-";
  std::array<char, INET6_ADDRSTRLEN> room{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), room.data(), room.size());
  std::string text = room.data();
  if (scope_ != 0) text += "%" + std::to_string(scope_);
  return text;
}

std::optional<Network> Network::parse(std::string_view text) {
  auto slash = text.find('/');
  auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return {};
  int most = ip->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Network(*ip, most);
  auto prefix = parse_number(text.substr(slash + 1), most);
  if (!prefix) return {};
  Bytes bytes = ip->bytes();
  for (int bit = *prefix; bit < most; ++bit) {
    auto byte = static_cast<unsigned>(bytes[static_cast<std::size_t>(bit) / 8]);
    if (byte >> (7 - bit % 8) & 1) return {};
  }
  return Network(*ip, *prefix);
}

bool Network::contains(const Ip& ip) const {
  if (ip.family() != ip_.family() || ip_.is_none()) return false;
  Bytes ours = ip_.bytes(), theirs = ip.bytes();
  auto whole = static_cast<std::size_t>(prefix_) / 8;
  if (std::memcmp(ours.data(), theirs.data(), whole) != 0) return false;
  int bits = prefix_ % 8;
  if (bits == 0) return true;
  auto differing = static_cast<unsigned>(ours[whole] ^ theirs[whole]);
  return differing >> (8 - bits) == 0;
}

std::string Network::text() const { return ip_.text() + "/" + std::to_string(prefix_); }

SocketAddress SocketAddress::unix_path(std::string path) {
  SocketAddress address;
  address.path_ = std::move(path);
  return address;
}

SocketAddress SocketAddress::from_system(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    return {Ip::from_bytes(std::as_bytes(std::span(&in.sin_addr, 1))), ntohs(in.sin_port)};
  }
  if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    Ip ip = Ip::from_bytes(std::as_bytes(std::span(&in.sin6_addr, 1)));
    if (ip.is_v6()) ip.scope_ = in.sin6_scope_id;
    return {ip, ntohs(in.sin6_port)};
  }
  if (address->sa_family == AF_UNIX) {
    std::size_t room = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    const char* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    std::string text(path, strnlen(path, room));
    return unix_path(text.empty() ? std::string(kUnnamed) : text);
  }
  return {};
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    if (text.size() == 5 || text.size() - 5 >= sizeof(sockaddr_un{}.sun_path)) return {};
    return unix_path(std::string(text.substr(5)));
  }
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  auto host = text.substr(0, colon);
  bool bracketed = host.starts_with('[');
  auto ip = Ip::parse(host);
  auto port = parse_number(text.substr(colon + 1), 65535);
  if (!ip || !port || bracketed != (host.find(':') != std::string_view::npos)) return {};
  return SocketAddress(*ip, static_cast<std::uint16_t>(*port));
}

socklen_t SocketAddress::to_system(sockaddr_storage& room) const {
  room = {};
  if (is_unix()) {
    auto& un = reinterpret_cast<sockaddr_un&>(room);
    if (path_.size() >= sizeof un.sun_path) return 0;
    un.sun_family = AF_UNIX;
    std::copy(path_.begin(), path_.end(), un.sun_path);
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size() + 1);
  }
  if (ip_.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(room);
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, ip_.bytes().data(), 4);
    return sizeof in;
  }
  auto& in = reinterpret_cast<sockaddr_in6&>(room);
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port_);
  in.sin6_scope_id = ip_.scope();
  if (ip_.is_v6()) std::memcpy(&in.sin6_addr, ip_.bytes().data(), 16);
  return sizeof in;
}

int SocketAddress::family() const {
  if (is_unix()) return AF_UNIX;
  return ip_.is_v4() ? AF_INET : AF_INET6;
}

std::string SocketAddress::text() const {
  if (is_unix()) return "unix:" + path_;
  if (ip_.is_none()) return "-";
  if (ip_.is_v4()) return ip_.text() + ":" + std::to_string(port_);
  return "[" + ip_.text() + "]:" + std::to_string(port_);
}

}  // namespace lockgate
