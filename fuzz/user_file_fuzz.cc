// Any bytes, read as a file of users: each has a name that can be one and a hash that can be
// checked, and is found; what is said of a mistake is a sentence about a line that is there.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/password_hash.h"
#include "wire/user_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto users = wire::UserFile::read(text);
  if (!users) {
    auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    CHECK(users.error().line <= lines && !users.error().what.empty());
    return 0;
  }
  for (std::size_t i = 0; i < users->size(); ++i) {
    CHECK(wire::is_name(users->name(i)) && scheme_of(users->hash(i)));
    CHECK(users->hash_of(users->name(i)) == users->hash(i));
  }
  return 0;
}
