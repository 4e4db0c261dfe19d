// HTTP/1.1 CONNECT, as its client: the request for a tunnel, and what the proxy
// answers (RFC 9110, 9.3.6; RFC 9112, 3.2.3).
//
// Bytes in, values out; any thread. The parser is given everything received so far
// and keeps no state; what it gives is a copy. Of a refusal it keeps what an operator
// wants to know: the words, the ways to log in, the cause, and the page.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/http_head.h"

namespace lockgate::wire {

/// All heads of an answer together, those of status 1xx included, have to fit into so many bytes.
inline constexpr std::size_t kLongestConnectAnswer = 16 * 1024;
/// So much of a refusal's page is looked at.
inline constexpr std::size_t kLongestPage = 4096;
inline constexpr std::size_t kLongestReason = 100;
inline constexpr std::size_t kMostSchemes = 8;

/// The request for a tunnel to `host`, a name or an IP address without brackets, with `user` and `password`
/// in the Basic scheme (RFC 7617) unless both are empty. bad_message if `host` is neither, or an address with
/// a zone, which means something on this machine only.
Result<std::string> write_connect(std::string_view host, std::uint16_t port, std::string_view user,
                                  std::string_view password);

struct ConnectAnswer {
  int status = 0;
  std::string reason;                // printable ASCII, '?' for anything else; cut to kLongestReason
  std::vector<std::string> schemes;  // of Proxy-Authenticate: tokens such as "Negotiate", each once
  std::string cause;     // a token such as "dns_error" (Proxy-Status, RFC 9209) or "ERR_DNS_FAIL" (Squid)
  std::size_t size = 0;  // bytes of the heads: the page or the tunnel comes behind them

  // Of the page behind a refusal.
  std::optional<std::size_t> page_size;  // where the head tells
  bool chunked = false;
  bool legible = true;  // text and not compressed, as far as the head tells

  bool is_tunnel() const { return status >= 200 && status <= 299; }
  bool offers(std::string_view scheme) const;
};

/// Reads the answer at the beginning of `seen`; nothing while its head has not all arrived. Answers of status
/// 1xx in front of it are skipped (RFC 9110, 15.2), but for 101, which was not asked for. Content-Length and
/// Transfer-Encoding of a 2xx mean nothing (9.3.6). Otherwise as strict as parse_response_head(): bad_message
/// for what is no HTTP/1, too_large above kLongestConnectAnswer.
std::optional<Result<ConnectAnswer>> parse_connect_answer(Bytes seen);

/// The same of the head of an answer that was read already, without its page.
ConnectAnswer refusal_in(int status, std::string_view reason, std::span<const HeadField> fields);

/// What a refusal means: unresolved, unreachable or timed_out where cause or status say so, else refused.
Errc meaning_of_refusal(const ConnectAnswer& answer);

struct Page {
  std::string content;  // at most kLongestPage bytes, unchunked; empty if it is not legible
  bool ended = false;   // nothing more of it will come
};

/// The page of a refusal, as far as it has arrived. `seen` is what the answer was parsed from, or more.
Page page_of_refusal(const ConnectAnswer& answer, Bytes seen);

}  // namespace lockgate::wire
