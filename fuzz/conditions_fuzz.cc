// What a client says of what it has: dates, entity tags and ranges. A date that is read is written and read
// to the same; a range lies within the whole.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "wire/byte_range.h"
#include "wire/entity_tag.h"
#include "wire/http_date.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  constexpr WallTime kNow = 1'795'000'000'000'000'000;
  if (size == 0) return 0;
  std::uint64_t whole = bytes[0] < 250 ? bytes[0] : UINT64_MAX - bytes[0];
  std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (auto time = wire::read_http_date(text, kNow))
    CHECK(wire::read_http_date(wire::HttpDate(*time).text(), kNow) == time);
  using enum wire::Comparison;
  constexpr std::string_view kTag = "\"a\"";
  CHECK(!wire::lists_tag(text, kTag, strong) || wire::lists_tag(text, kTag, weak));
  CHECK(!wire::lists_tag(text, kTag, weak) || text == "*" || text.contains(kTag));
  wire::ByteRange range = wire::read_byte_range(text, whole);
  using Kind = wire::ByteRange::Kind;
  if (range.kind == Kind::whole) CHECK(range.first == 0 && range.size == whole);
  if (range.kind == Kind::part)
    CHECK(range.size > 0 && range.first < whole && range.size <= whole - range.first);
  return 0;
}
