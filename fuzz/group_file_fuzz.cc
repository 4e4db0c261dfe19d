// Any bytes, read as a file of groups: each member has a name that can be one, and is in its
// group; what is said of a mistake is a sentence about a line that is there.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "wire/group_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto groups = wire::GroupFile::read(text);
  if (!groups) {
    auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    CHECK(groups.error().line <= lines && !groups.error().what.empty());
    return 0;
  }
  groups->for_each_member([&](std::string_view group, std::string_view user) {
    CHECK(wire::is_name(group) && wire::is_name(user));
    CHECK(groups->has_group(group) && groups->is_in(user, group));
  });
  return 0;
}
