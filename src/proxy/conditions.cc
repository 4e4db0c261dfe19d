#include "proxy/conditions.h"

#include <optional>

#include "wire/entity_tag.h"
#include "wire/http_date.h"

namespace lockgate::proxy {
namespace {

constexpr WallTime kSecond = 1'000'000'000;

enum class Listed : std::uint8_t { absent, no, yes };

/// Whether the tag is in any field of that name, which are one list together.
Listed listed(const http::Fields& fields, std::string_view name, std::string_view tag,
              wire::Comparison comparison) {
  Listed found = Listed::absent;
  for (const wire::HeadField& field : fields) {
    if (!wire::equal_in_any_case(field.name, name)) continue;
    if (wire::lists_tag(field.value, tag, comparison)) return Listed::yes;
    found = Listed::no;
  }
  return found;
}

/// What is no date counts as absent (13.1.3 and 13.1.4), and so do several, since this is no list.
std::optional<WallTime> date_in(const http::Fields& fields, std::string_view name, WallTime now) {
  auto value = wire::only_value_in(fields, name);
  return value ? wire::read_http_date(*value, now) : std::nullopt;
}

WallTime whole_second(WallTime time) { return time / kSecond * kSecond; }

/// Of several that do not agree, the client has none.
bool has_same(const http::Fields& fields, const Validators& validators, WallTime now) {
  auto value = wire::only_value_in(fields, "If-Range");
  if (!value) return false;
  if (wire::is_like_tag(*value)) return *value == validators.tag;
  // A file may change twice within the second that the client was told (8.8.2.2).
  auto date = wire::read_http_date(*value, now);
  return date == whole_second(validators.modified) && now - validators.modified >= kSecond;
}

}  // namespace

Condition condition_of(const http::Request& request, const Validators& validators, WallTime now) {
  const http::Fields& fields = request.fields;
  Listed match = listed(fields, "If-Match", validators.tag, wire::Comparison::strong);
  if (match == Listed::no) return Condition::failed;
  if (match == Listed::absent) {
    auto since = date_in(fields, "If-Unmodified-Since", now);
    if (since && whole_second(validators.modified) > *since) return Condition::failed;
  }
  bool reads = request.method == "GET" || request.method == "HEAD";
  Listed none_match = listed(fields, "If-None-Match", validators.tag, wire::Comparison::weak);
  if (none_match == Listed::yes) return reads ? Condition::not_modified : Condition::failed;
  if (none_match == Listed::absent && reads) {
    auto since = date_in(fields, "If-Modified-Since", now);
    if (since && whole_second(validators.modified) <= *since) return Condition::not_modified;
  }
  return Condition::holds;
}

wire::ByteRange part_of(const http::Request& request, const Validators& validators, WallTime now) {
  const http::Fields& fields = request.fields;
  auto range = wire::only_value_in(fields, "Range");
  bool asks = request.method == "GET" && range;
  if (!asks || (wire::value_in(fields, "If-Range") && !has_same(fields, validators, now)))
    return {.size = validators.size};
  return wire::read_byte_range(*range, validators.size);
}

}  // namespace lockgate::proxy
