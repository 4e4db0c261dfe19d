#include "wire/services.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/cursor.h"
#include "base/name_pattern.h"

namespace lockgate::wire {
namespace {

constexpr std::uint16_t kAlias = 5, kService = 33;  // the types CNAME and SRV
constexpr std::uint8_t kPointer = 0xc0;             // both bits: a pointer; one of them: reserved
constexpr std::uint8_t kLongestLabel = 63;
constexpr int kMostPointers = 127;  // a name has no more labels, and a pointer to a pointer is of no use
constexpr std::uint32_t kLongestTtl = 0x7fffffff;

// Reads the name at `cursor`, which runs to the end of `message`, following pointers (RFC 1035, 4.1.4). A dot
// within a label would look like two labels, so such a name is refused.
std::optional<std::string> read_name(Bytes message, Cursor& cursor) {
  std::string name;
  Cursor here = cursor;
  int pointers = 0;
  while (std::uint8_t size = here.u8()) {
    if (size >= kPointer) {
      std::size_t target = (size & ~kPointer & 0xffU) << 8 | here.u8();
      if (pointers == 0) cursor = here;
      if (!here.ok() || target >= message.size() || ++pointers > kMostPointers) return {};
      here = Cursor(message.subspan(target));
      continue;
    }
    auto label = as_text(here.take(size));
    if (!here.ok() || size > kLongestLabel || label.contains('.')) return {};
    if (!name.empty()) name += '.';
    name += label;
    if (name.size() > kLongestName) return {};
  }
  if (pointers == 0) cursor = here;
  if (!here.ok()) return {};
  return name;
}

bool skip_question(Bytes message, Cursor& cursor) {
  auto name = read_name(message, cursor);
  cursor.take(4);  // type and class
  return name && cursor.ok();
}

// The data of an SRV record, of which `size` bytes belong to it.
bool read_service(Bytes message, Cursor& cursor, std::size_t size, std::vector<Service>& services) {
  std::size_t before = cursor.size();
  Service service{.priority = cursor.u16(), .weight = cursor.u16()};
  service.port = cursor.u16();
  auto target = read_name(message, cursor);
  if (!target || before - cursor.size() != size) return false;
  auto name = normalized_name(*target);
  if (!name) return true;
  service.name = std::move(*name);
  services.push_back(std::move(service));
  return true;
}

bool read_record(Bytes message, Cursor& cursor, Services& answer) {
  auto owner = read_name(message, cursor);
  std::uint16_t type = cursor.u16();
  cursor.u16();  // the class, which is the question's
  std::uint32_t ttl = cursor.u32();
  std::uint16_t size = cursor.u16();
  if (!owner || !cursor.ok()) return false;
  if (type == kAlias || type == kService) {
    if (ttl > kLongestTtl) ttl = 0;  // RFC 2181, 8
    answer.ttl = std::min<Duration>(answer.ttl, std::chrono::seconds(ttl));
  }
  if (type == kService) return read_service(message, cursor, size, answer.services);
  cursor.take(size);
  return cursor.ok();
}

}  // namespace

Result<Services> parse_services(Bytes message) {
  auto broken = failure(Errc::bad_message, "reading a name server's answer");
  Cursor cursor(message);
  cursor.u32();  // identifier and flags
  std::uint16_t questions = cursor.u16(), records = cursor.u16();
  cursor.u32();  // how many records follow the answer's
  if (!cursor.ok()) return broken;
  for (; questions > 0; --questions) {
    if (!skip_question(message, cursor)) return broken;
  }
  Services answer{.ttl = std::chrono::seconds(kLongestTtl)};
  for (; records > 0; --records) {
    if (!read_record(message, cursor, answer)) return broken;
  }
  std::ranges::sort(answer.services, {}, [](const Service& service) {
    return std::tie(service.priority, service.name, service.port, service.weight);
  });
  return answer;
}

}  // namespace lockgate::wire
