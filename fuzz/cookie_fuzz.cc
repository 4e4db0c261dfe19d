// Whatever is read of cookies and parameters lies within what was given, in its order;
// what is taken out is gone, and everything else is left as it was.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "wire/cookie.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

std::vector<Cookie> all_of(std::string_view whole, std::optional<Cookie> (*take)(std::string_view&)) {
  std::vector<Cookie> all;
  for (std::string_view unread = whole; auto cookie = take(unread);) {
    CHECK(is_within(cookie->name, whole) && is_within(cookie->value, whole));
    CHECK(!cookie->value.contains(';') && !cookie->name.contains(';') && !cookie->name.contains('='));
    all.push_back(*cookie);
  }
  CHECK(all.size() <= whole.size());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  all_of(text, take_path_parameter);
  CHECK(is_within(cookie_set_by(text).value, text));
  Arena arena;
  auto before = all_of(text, take_cookie);
  std::string_view name = before.empty() ? "a" : before.front().name;
  std::string_view left = without_cookie(text, name, arena);
  CHECK(left.size() <= text.size());
  auto after = all_of(left, take_cookie);
  std::size_t next = 0;
  for (const Cookie& cookie : before) {
    if (cookie.name == name) continue;
    CHECK(next < after.size() && after[next].name == cookie.name && after[next].value == cookie.value);
    ++next;
  }
  CHECK(next == after.size());
  return 0;
}
