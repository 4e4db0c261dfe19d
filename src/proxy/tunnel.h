// A tunnel to an upstream through its parent, a proxy that we have to go through: by
// HTTP CONNECT or by SOCKS5, over a stream that is connected to the parent already.
//
// Part of dialling, on the connection's thread. Nothing is sent that belongs to the
// upstream before the parent has said yes. Time and bytes are limited. The parent's
// words are quoted for the log; user and password never are.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "loop/task.h"
#include "net/buffers.h"
#include "net/stream.h"

namespace lockgate::proxy {

enum class ParentKind : std::uint8_t { http, socks5 };  // an https parent is http over a TLS stream

/// What is asked of a parent. The texts have to stay until the answer is there.
struct TunnelRequest {
  ParentKind kind = ParentKind::http;
  std::string_view host;  // the upstream's: a name, which the parent resolves, or an IP without brackets
  std::uint16_t port = 0;
  std::string_view user, password;  // both empty: none
};

struct TunnelAnswer {
  std::vector<std::byte> early;  // what the upstream has said already, behind the parent's answer
};

/// Asks `parent` for a tunnel and waits for it, until `deadline` at the latest. Once it is there, `parent` is
/// a stream to the upstream, whose first bytes are `early`.
///
/// Fails with side parent: refused, or unreachable, unresolved, timed_out where the parent says so, with its
/// status or reply as the detail; timed_out in silence; closed, reset or what else befell the stream;
/// bad_message for an answer that is not in the protocol; too_large for one beyond its limits. With side
/// here, before anything is sent: bad_message for a host, user or password that the protocol cannot tell.
///
/// `said` is set to the refusal in words for the log, on one line: status, reason, what it means and what may
/// help, and the text of the page. It is empty where the error says all.
loop::Task<TunnelAnswer> open_tunnel(net::Stream& parent, net::Buffers& buffers, TunnelRequest request,
                                     Instant deadline, std::string& said);

}  // namespace lockgate::proxy
