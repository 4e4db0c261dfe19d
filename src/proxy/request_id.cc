#include "proxy/request_id.h"

#include <algorithm>
#include <charconv>

namespace lockgate::proxy {
namespace {

bool is_safe(char c) {
  constexpr std::string_view kOthers = "._~:+/=@-";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || kOthers.contains(c);
}

}  // namespace

std::optional<std::string_view> given_id(const http::Request& request, config::RequestId taken,
                                         bool through_proxy) {
  constexpr std::size_t kLongest = 128;
  if (taken == config::RequestId::never || (taken == config::RequestId::trusted && !through_proxy)) return {};
  auto tells = [](const wire::HeadField& field) { return field.id == http::FieldName::x_request_id; };
  if (std::ranges::count_if(request.fields, tells) != 1) return {};  // of two, nobody knows which was meant
  std::string_view id = request.fields.value(http::FieldName::x_request_id);
  bool good = !id.empty() && id.size() <= kLongest && std::ranges::all_of(id, is_safe);
  return good ? std::optional(id) : std::nullopt;
}

std::string_view made_id(std::uint64_t connection, std::uint64_t request, Arena& arena) {
  constexpr std::size_t kLongest = 16 + 1 + 16;
  auto room = arena.take(kLongest);
  char* end = std::to_chars(room.data(), room.data() + room.size(), connection, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, room.data() + room.size(), request, 16).ptr;
  return {room.data(), end};
}

}  // namespace lockgate::proxy
