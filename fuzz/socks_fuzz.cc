// Any bytes, parsed as each of the answers of a SOCKS5 server: the same outcome however many more follow, and
// never a byte more than there is.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "wire/socks.h"

namespace lockgate::wire {
namespace {

bool same(const SocksMethod& a, const SocksMethod& b) { return a.number == b.number && a.size == b.size; }
bool same(const SocksLogin& a, const SocksLogin& b) { return a.accepted == b.accepted && a.size == b.size; }
bool same(const SocksReply& a, const SocksReply& b) { return a.code == b.code && a.size == b.size; }

template <class Answer>
void check(Bytes seen, std::optional<Result<Answer>> (*parse)(Bytes)) {
  auto whole = parse(seen);
  for (std::size_t size = 0; size < std::min<std::size_t>(seen.size(), 300); ++size) {
    auto early = parse(seen.first(size));
    if (!early) continue;
    CHECK(whole && early->has_value() == whole->has_value());
    if (*early) CHECK(same(**early, **whole) && (*early)->size <= size);
  }
  if (!whole) CHECK(seen.size() < 4 + 1 + 255 + 2);
  if (whole && *whole) CHECK((*whole)->size <= seen.size());
}

/// A host that can be told is told in a size that the server can know.
void check_written(std::string_view host) {
  auto request = write_socks_connect(host, 443);
  if (!request) return;
  // The reply has the form of the request, so that the one reads the other.
  request->at(1) = '\0';
  auto reply = parse_socks_reply(as_bytes(*request));
  CHECK(reply && *reply && (*reply)->size == request->size());
}

void check_login(std::string_view text) {
  auto user = text.substr(0, text.size() / 2), password = text.substr(text.size() / 2);
  auto login = write_socks_login(user, password);
  CHECK(login.has_value() == why_not_in_socks(user, password).empty());
  if (login) CHECK(login->size() == 3 + text.size());
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  using namespace lockgate::wire;
  Bytes seen(reinterpret_cast<const std::byte*>(bytes), size);
  check(seen, parse_socks_method);
  check(seen, parse_socks_login);
  check(seen, parse_socks_reply);
  check_written(as_text(seen));
  check_login(as_text(seen));
  return 0;
}
