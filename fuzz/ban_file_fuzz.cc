// Any bytes, read as the file in which bans are kept: what is found is written out, and read as the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "guard/ban_file.h"

namespace lockgate::guard {
namespace {

constexpr Clocks kClocks{{5'000'000'001}, 1'700'000'000'000'000'002};

bool is_same(const Ban& one, const Ban& other) {
  return one.who == other.who && one.since == other.since && one.until == other.until &&
         one.times == other.times && one.why == other.why;
}

void check(std::string_view text) {
  auto kept = read_ban_file(text, kClocks);
  if (!kept) {
    CHECK(!kept.error().empty() && kept.error().size() < 100);
    return;
  }
  CHECK(kept->bad_lines == 0 ? kept->first_bad == 0 : kept->first_bad > 1);
  std::string written(kBanFileTitle);
  for (const Ban& ban : kept->bans) {
    CHECK(ban.times > 0);
    written += ban_line(ban, kClocks);
  }
  auto again = read_ban_file(written, kClocks);
  CHECK(again && again->bad_lines == 0 && again->bans.size() == kept->bans.size());
  for (std::size_t i = 0; i < kept->bans.size(); ++i) CHECK(is_same(kept->bans[i], again->bans[i]));
}

}  // namespace
}  // namespace lockgate::guard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lockgate::guard::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
