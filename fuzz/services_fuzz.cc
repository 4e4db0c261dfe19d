// Any bytes, parsed as a name server's answer: every service found is one that can be asked for.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/name_pattern.h"
#include "wire/services.h"

namespace lockgate::wire {
namespace {

constexpr std::size_t kSmallestRecord = 1 + 10 + 6 + 1;

void check(Bytes message) {
  auto answer = parse_services(message);
  if (!answer) {
    CHECK(answer.error().code == Errc::bad_message);
    return;
  }
  CHECK(answer->services.size() <= message.size() / kSmallestRecord && answer->ttl >= Duration::zero());
  CHECK(std::ranges::is_sorted(answer->services, {}, &Service::priority));
  for (const auto& service : answer->services) CHECK(normalized_name(service.name) == service.name);
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lockgate::wire::check(std::as_bytes(std::span(data, size)));
  return 0;
}
