// Any bytes, parsed as a PROXY header; and each header found, written again and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "wire/proxy_header.h"

namespace lockgate::wire {
namespace {

bool same(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

bool inside(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

/// Fewer bytes never give a different answer than all of them: they give the same one, or ask for more.
void check_prefix(Bytes seen, std::size_t size, const std::optional<Result<ProxyHeader>>& answer) {
  auto early = parse_proxy_header(seen.first(size));
  if (!early) return;
  CHECK(answer && early->has_value() == answer->has_value());
  if (*early) CHECK((*early)->size == (*answer)->size && (*early)->size <= size);
}

void check_written_again(ProxyVersion version, const ProxyHeader& header) {
  auto written = write_proxy_header(version, header.source, header.destination, header.tlvs);
  auto again = parse_proxy_header(written.bytes());
  CHECK(again && *again && (*again)->size == written.size);
  bool told = version == ProxyVersion::v2 || !header.source.is_unix();
  CHECK((*again)->source == (told ? header.source : SocketAddress()));
  CHECK((*again)->destination == (told ? header.destination : SocketAddress()));
  bool tells_tlvs = version == ProxyVersion::v2 && !header.source.is_none();
  if (!tells_tlvs || header.size > written.room.size()) return;  // the latter may lose some
  const ProxyTlvs &before = header.tlvs, &after = (*again)->tlvs;
  CHECK(same(before.alpn, after.alpn) && same(before.authority, after.authority));
  CHECK(same(before.unique_id, after.unique_id) && same(before.ssl, after.ssl));
}

void check(Bytes seen) {
  auto answer = parse_proxy_header(seen);
  if (!seen.empty()) check_prefix(seen, static_cast<std::size_t>(seen.back()) % seen.size(), answer);
  if (!answer) CHECK(seen.size() < kLargestProxyHeader && may_be_proxy_header(seen));
  if (!answer || !*answer) return;
  const ProxyHeader& header = **answer;
  CHECK(may_be_proxy_header(seen) && header.size <= std::min(seen.size(), kLargestProxyHeader));
  CHECK(header.source.is_none() == header.destination.is_none());
  check_prefix(seen, header.size - 1, answer);
  CHECK(!parse_proxy_header(seen.first(header.size - 1)));
  Bytes whole = seen.first(header.size);
  CHECK(inside(header.tlvs.alpn, whole) && inside(header.tlvs.authority, whole));
  CHECK(inside(header.tlvs.unique_id, whole) && inside(header.tlvs.ssl, whole));
  check_written_again(ProxyVersion::v1, header);
  check_written_again(ProxyVersion::v2, header);
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lockgate::wire::check(std::as_bytes(std::span(data, size)));
  return 0;
}
