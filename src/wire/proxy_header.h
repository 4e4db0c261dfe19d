// The PROXY protocol, versions 1 and 2: for whom a connection is relayed, told in
// front of its first byte (haproxy.org, doc/proxy-protocol.txt).
//
// Bytes in, values out; any thread. What is parsed looks into the bytes given and
// lives as long as they do. Whether to expect a header is decided by the peer's
// address and never by these bytes, for a client could write them, too.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/error.h"

namespace lockgate::wire {

/// Larger headers are refused. A line of version 1 has 107 bytes at most, and the specification wants any
/// header to fit into a segment of 536; the rest is for senders that put certificates into TLVs of their own.
inline constexpr std::size_t kLargestProxyHeader = 4096;

enum class ProxyVersion : std::uint8_t { v1 = 1, v2 = 2 };

/// local: the sender speaks for itself, as in a health check; proxy: for somebody else.
enum class ProxyCommand : std::uint8_t { local, proxy };

/// What a header of version 2 tells beside the addresses (2.2.1 to 2.2.6); empty where it does not.
struct ProxyTlvs {
  Bytes alpn;
  Bytes authority;  // the name that the client asked for
  Bytes unique_id;  // at most 128 bytes
  Bytes ssl;        // flags, result of verification, TLVs inside: as they came
};

struct ProxyHeader {
  ProxyVersion version = ProxyVersion::v1;
  ProxyCommand command = ProxyCommand::proxy;
  /// The client, and what it connected to. Both are none where the sender does not tell (LOCAL, UNKNOWN,
  /// UNSPEC): then the connection's own addresses hold.
  SocketAddress source, destination;
  ProxyTlvs tlvs;
  std::size_t size = 0;  // bytes of the header: the client's first byte comes behind them
};

/// Reads the header at the beginning of `seen`; nothing while more bytes are needed. bad_message for what is
/// not the header of a relayed stream, too_large above kLargestProxyHeader. Where the specification leaves a
/// choice, datagrams are refused, and so are TLVs that do not fill the header exactly or say one thing twice.
std::optional<Result<ProxyHeader>> parse_proxy_header(Bytes seen);

/// True as long as `seen` agrees with a header's signature: for networks whose members may send one or not.
bool may_be_proxy_header(Bytes seen);

/// A written header, of the size that every host takes in one segment (section 2).
struct ProxyHeaderBytes {
  std::array<std::byte, 536> room;
  std::size_t size = 0;
  Bytes bytes() const { return Bytes(room).first(size); }
};

/// The header that tells of a connection from `source` to `destination`. An IPv4 and an IPv6 address are told
/// as two IPv6 addresses; Unix paths by version 2 only; any other pair as not known. Without either address
/// the sender speaks for itself (LOCAL in version 2). TLVs are told by version
/// 2 only, in the order unique_id, authority, alpn, ssl; one that does not fit any more is left out.
ProxyHeaderBytes write_proxy_header(ProxyVersion version, const SocketAddress& source,
                                    const SocketAddress& destination, const ProxyTlvs& tlvs = {});

}  // namespace lockgate::wire
