#include "wire/file_name.h"

#include <algorithm>

#include "wire/url.h"

namespace lockgate::wire {
namespace {

constexpr const char* kNaming = "looking for the file";

std::unexpected<Error> refused(Errc code, std::int16_t status) {
  return std::unexpected(Error{
      .code = code, .side = Side::client, .detail = {DetailKind::http_status, status}, .doing = kNaming});
}

/// False if an encoding is broken, or hides what parts names.
bool decode(std::string_view path, std::string& out) {
  for (std::size_t at = 0; at < path.size(); ++at) {
    char c = path[at];
    if (c == '%') {
      if (path.size() - at < 3) return false;
      int high = hex_value(path[at + 1]), low = hex_value(path[at + 2]);
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      if (c == '/') return false;
      at += 2;
    }
    if (c == '\0') return false;
    out += c;
  }
  return true;
}

bool has_hidden_segment(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    auto end = std::min(name.find('/', begin), name.size());
    std::string_view segment = name.substr(begin, end - begin);
    if (segment.starts_with('.') && segment != ".well-known") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

Result<std::string_view> read_file_name(std::string_view path, std::string& room) {
  room.clear();
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  if (!decode(path, room)) return refused(Errc::bad_message, 400);
  if (has_hidden_segment(room)) return refused(Errc::rejected, 404);
  return std::string_view(room);
}

}  // namespace lockgate::wire
