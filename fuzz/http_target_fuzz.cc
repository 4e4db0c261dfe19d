// Whatever is read stays the same when it is read again, is never longer than it was,
// has no dot segments left where they are resolved or refused, and is only spelled in
// another way where everything is left raw.
#include <array>
#include <string>

#include "base/check.h"
#include "wire/http_head.h"
#include "wire/http_target.h"
#include "wire/url.h"

namespace {

using namespace lockgate;
using namespace lockgate::wire;

constexpr std::array kChoices = {OddPath::reject, OddPath::raw, OddPath::decode};

bool is_encoding_of(std::string_view text, std::string_view encoding) {
  return equal_in_any_case(text.substr(0, encoding.size()), encoding);
}

/// A path as a generous server has it: decoded once, with every slash a slash and without parameters.
std::string as_generous(std::string_view path) {
  std::string text;
  for (std::size_t at = 0; at < path.size(); ++at) {
    char c = path[at];
    if (c == '%') {
      c = static_cast<char>(hex_value(path[at + 1]) * 16 + hex_value(path[at + 2]));
      at += 2;
    }
    text += c == '\\' ? '/' : c;
  }
  for (auto mark = text.find(';'); mark != text.npos; mark = text.find(';')) {
    text.erase(mark, text.find('/', mark) - mark);
  }
  return text + "/";
}

/// The spelling that every path gets, and nothing else: encodings in upper case, and none without need. Dots
/// are left out, since they stay encoded in some places.
std::string spelled(std::string_view path) {
  std::string text;
  for (std::size_t at = 0; at < path.size(); ++at) {
    std::string_view rest = path.substr(at);
    if (rest.front() == '.') continue;
    if (rest.front() != '%') {
      text += rest.front();
      continue;
    }
    at += 2;
    if (is_encoding_of(rest, "%2e")) continue;
    char c = static_cast<char>(hex_value(rest[1]) * 16 + hex_value(rest[2]));
    if (is_unreserved(c)) {
      text += c;
    } else {
      for (char one : rest.substr(0, 3)) text += one >= 'a' && one <= 'f' ? static_cast<char>(one - 32) : one;
    }
  }
  return text;
}

void check_path(std::string_view target, const HttpTarget& read, const PathPolicy& policy) {
  std::string room;
  auto again = read_target(read.path, policy, room);
  CHECK(again && again->path == read.path && !again->has_query && room.empty());
  CHECK(read.path.size() <= target.size());
  CHECK(read.path == "*" || read.path.starts_with('/'));
  if (policy.encoded_slashes == OddPath::reject || policy.encoded_slashes == OddPath::decode) {
    CHECK(!read.path.contains("%2F") && !read.path.contains("%5C") && !read.path.contains('\\'));
  }
  if (policy.dot_segments != OddPath::raw && read.path != "*") {
    std::string generous = as_generous(read.path);
    CHECK(!generous.contains("/../") && !generous.contains("/./"));
  }
  if (policy.encoded_slashes == OddPath::raw && policy.dot_segments == OddPath::raw &&
      target.starts_with('/')) {
    CHECK(spelled(read.path) == spelled(target.substr(0, target.find('?'))));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view target(reinterpret_cast<const char*>(bytes), size);
  for (OddPath slashes : kChoices) {
    for (OddPath dots : kChoices) {
      PathPolicy policy{slashes, dots};
      std::string room;
      auto read = read_target(target, policy, room);
      if (read) {
        check_path(target, *read, policy);
      } else {
        CHECK(read.error().detail.number == 400);
      }
    }
  }
  return 0;
}
