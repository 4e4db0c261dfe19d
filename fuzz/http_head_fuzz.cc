// Any bytes give an outcome, the same one however many more follow; and what is
// read stands in the bytes where it says.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "wire/http_head.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

constexpr HeadLimits kLimits{.bytes = 2048, .fields = 16, .target = 100};

void check_prefix(Bytes seen, std::size_t size) {
  auto before = parse_request_head(seen.first(size), kLimits);
  if (!before) return;
  auto after = parse_request_head(seen, kLimits);
  CHECK(after && after->has_value() == before->has_value());
  if (*before) {
    CHECK((*before)->size == (*after)->size && (*before)->target == (*after)->target);
  } else {
    CHECK((*before).error().code == (*after).error().code);
    CHECK((*before).error().detail == (*after).error().detail);
  }
}

/// Memory that was used before makes no difference.
void check_used_again(Bytes seen, const RequestHead& head) {
  RequestHead used;
  (void)read_request_head(as_bytes("PUT /a HTTP/1.0\r\nHost: a\r\nTE: b\r\n\r\n"), kLimits, used);
  auto outcome = read_request_head(seen, kLimits, used);
  CHECK(outcome && *outcome && used.size == head.size && used.minor_version == head.minor_version);
  CHECK(used.method == head.method && used.target == head.target);
  auto same = [](const HeadField& a, const HeadField& b) {
    return a.name == b.name && a.value == b.value && a.id == b.id && a.id == field_name(a.name);
  };
  CHECK(std::ranges::equal(used.fields, head.fields, same));
}

/// Written again from its parts, a head is read again as the same.
void check_rewritten(const RequestHead& head) {
  std::string text(head.method);
  text.append(" ")
      .append(head.target)
      .append(" HTTP/1.")
      .append(std::to_string(head.minor_version))
      .append("\r\n");
  for (const auto& field : head.fields)
    text.append(field.name).append(":").append(field.value).append("\r\n");
  text.append("\r\n");
  auto again = parse_request_head(as_bytes(text), kLimits);
  CHECK(again && *again && (*again)->size == text.size());
  auto first = head.host(), second = (*again)->host();
  CHECK(first.has_value() == second.has_value() && (!first || *first == *second));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Bytes seen(reinterpret_cast<const std::byte*>(bytes), size);
  for (std::size_t cut = 0; cut < std::min<std::size_t>(size, 300); ++cut) check_prefix(seen, cut);
  check_prefix(seen, size - size / 8);
  auto head = parse_request_head(seen, kLimits);
  if (head && *head) {
    CHECK((*head)->size <= kLimits.bytes && (*head)->fields.size() <= kLimits.fields);
    check_rewritten(**head);
    check_used_again(seen, **head);
  }
  return 0;
}
