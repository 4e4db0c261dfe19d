// Addresses of the network: an IP, a network of them, a socket's address.
//
// One IP has one value: an IPv4 address mapped into IPv6 (::ffff:192.0.2.1) is
// stored as the IPv4 address it is, so that comparing, limiting and banning see
// one client where there is one (RFC 4291, 2.5.5.2).
#pragma once
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace lockgate {

/// An IPv4 or IPv6 address, or none at all.
class Ip {
 public:
  enum class Family : std::uint8_t { none, v4, v6 };

  Ip() = default;
  /// From 4 or 16 bytes in network order; mapped IPv4 becomes IPv4.
  static Ip from_bytes(Bytes bytes);
  /// From text as in "192.0.2.1", "2001:db8::1" or "[2001:db8::1]", with an optional "%zone" on IPv6.
  static std::optional<Ip> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::v4; }
  bool is_v6() const { return family_ == Family::v6; }
  bool is_none() const { return family_ == Family::none; }
  bool is_loopback() const;
  bool is_unspecified() const;
  /// The 4 or 16 bytes in network order.
  Bytes bytes() const;
  /// The 16 bytes as IPv6 writes them, an IPv4 address mapped.
  std::array<std::byte, 16> mapped() const;
  /// The interface index of a link-local IPv6 address, 0 if none.
  std::uint32_t scope() const { return scope_; }
  std::string text() const;

  auto operator<=>(const Ip&) const = default;

 private:
  friend class SocketAddress;
  std::array<std::byte, 16> bytes_{};
  std::uint32_t scope_ = 0;
  Family family_ = Family::none;
};

/// A network in CIDR form, "192.0.2.0/24"; a lone address is a network of one.
class Network {
 public:
  Network() = default;
  Network(Ip ip, int prefix) : ip_(ip), prefix_(prefix) {}
  /// Refuses bits set behind the prefix, which are a slip of the pen.
  static std::optional<Network> parse(std::string_view text);

  bool contains(const Ip& ip) const;
  const Ip& ip() const { return ip_; }
  int prefix() const { return prefix_; }
  std::string text() const;
  bool operator==(const Network&) const = default;

 private:
  Ip ip_;
  int prefix_ = 0;
};

/// Where a socket is bound or connected: an IP and a port, or a Unix path.
class SocketAddress {
 public:
  /// The path that from_system() gives a Unix socket without one, as clients' sockets mostly are.
  static constexpr std::string_view kUnnamed = "(unnamed)";

  SocketAddress() = default;
  SocketAddress(Ip ip, std::uint16_t port) : ip_(ip), port_(port) {}
  static SocketAddress unix_path(std::string path);
  static SocketAddress from_system(const sockaddr* address, socklen_t size);
  /// "192.0.2.1:443", "[2001:db8::1]:443", "unix:/run/x.sock"; no names.
  static std::optional<SocketAddress> parse(std::string_view text);

  /// Writes the kernel's form and returns its size; 0 if a Unix path is too long.
  socklen_t to_system(sockaddr_storage& room) const;

  bool is_none() const { return ip_.is_none() && path_.empty(); }
  bool is_unix() const { return !path_.empty(); }
  const Ip& ip() const { return ip_; }
  std::uint16_t port() const { return port_; }
  const std::string& path() const { return path_; }
  int family() const;
  /// As parse() reads it; "-" if there is none.
  std::string text() const;

  auto operator<=>(const SocketAddress&) const = default;

 private:
  Ip ip_;
  std::uint16_t port_ = 0;
  std::string path_;
};

}  // namespace lockgate
