// Any bytes give an outcome, the same one however many more follow and however
// the message is cut into records.
#include <algorithm>
#include <array>

#include "base/check.h"
#include "wire/client_hello.h"
#include "wire/fingerprint.h"
#include "wire/made_hello.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

bool same(const ClientHello& a, const ClientHello& b) {
  return a.server_name == b.server_name && a.name_as_sent == b.name_as_sent && a.ech == b.ech &&
         ja3_text(a) == ja3_text(b) && ja4(a) == ja4(b);
}

void check_name(const ClientHello& hello) {
  CHECK(hello.server_name.empty() == (hello.name_kind != ServerName::host));
  CHECK(hello.name_as_sent.empty() == (hello.name_kind == ServerName::none));
  CHECK(!hello.sslv2 || hello.name_kind == ServerName::none);
}

/// Once a prefix is decided, all of `seen` is decided alike.
void check_prefix(Bytes seen, std::size_t size) {
  FirstBytes first = look(seen.first(size));
  CHECK(first == FirstBytes::undecided || first == look(seen));
  auto before = parse_client_hello(seen.first(size));
  if (!before) return;
  auto after = parse_client_hello(seen);
  CHECK(after && after->has_value() == before->has_value());
  if (*before) {
    CHECK(same(**before, **after));
  } else {
    CHECK((*before).error().code == (*after).error().code);
  }
}

/// The message of a hello that came in one record, in records of another size.
void check_records(Bytes seen, const ClientHello& hello, std::size_t most) {
  std::size_t record = static_cast<std::size_t>(seen[3]) << 8 | static_cast<std::size_t>(seen[4]);
  std::size_t message = static_cast<std::size_t>(seen[7]) << 8 | static_cast<std::size_t>(seen[8]);
  if (record != message + 4 || record / most > 2000) return;
  auto again = parse_client_hello(as_bytes(in_records(as_text(seen.subspan(5, record)), most)));
  CHECK(again && *again && same(hello, **again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Bytes seen(reinterpret_cast<const std::byte*>(bytes), size);
  auto hello = parse_client_hello(seen);
  for (std::size_t cut :
       std::array{size / 4, size / 2, size - size / 4, size - std::min<std::size_t>(size, 1)}) {
    check_prefix(seen, cut);
  }
  for (std::size_t cut = 0; cut < std::min<std::size_t>(size, 16); ++cut) check_prefix(seen, cut);
  if (!hello || !*hello) return 0;
  check_name(**hello);
  if ((*hello)->sslv2) return 0;
  check_records(seen, **hello, 1 + size % 7);
  check_records(seen, **hello, 1 + size % 501);
  return 0;
}
