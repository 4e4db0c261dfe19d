// The name of a file never leads out of its folder: it is relative, and no part of it begins with a dot.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/file_name.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  std::string_view path(reinterpret_cast<const char*>(bytes), size);
  std::string room;
  auto name = wire::read_file_name(path, room);
  if (!name) {
    CHECK(name.error().detail.number == 400 || name.error().detail.number == 404);
    return 0;
  }
  CHECK(name->size() <= path.size() && !name->starts_with('/') && !name->contains('\0'));
  for (std::size_t begin = 0; begin <= name->size();) {
    std::string_view segment = name->substr(begin, name->find('/', begin) - begin);
    CHECK(!segment.starts_with('.') || segment == ".well-known");
    begin += segment.size() + 1;
  }
  return 0;
}
