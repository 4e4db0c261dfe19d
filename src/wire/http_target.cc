#include "wire/http_target.h"

#include <algorithm>

#include "wire/http_head.h"
#include "wire/url.h"

namespace lockgate::wire {
namespace {

constexpr auto kNoPath = "reading a target without a path";
constexpr auto kBadCharacter = "reading a path with a character that has to be encoded";
constexpr auto kBadEncoding = "reading a path with a broken percent-encoding";
constexpr auto kNul = "reading a path with %00";
constexpr auto kEncodedSlash = "reading a path with an encoded slash";
constexpr auto kBackslash = "reading a path with a backslash";
constexpr auto kDotSegment = "reading a path with a dot segment";
constexpr auto kParameters = "reading a path with a dot segment that has parameters";
constexpr auto kBesideSlash = "reading a path with a dot segment beside an encoded slash";
constexpr auto kEmptySegment = "reading a path with a slash behind a slash";
constexpr auto kAboveRoot = "reading a path that climbs above the root";

enum class Dots : std::uint8_t { none, one, two, with_parameters };

/// What stands between two slashes, encoded or not, and the one behind it.
struct Segment {
  std::string_view text;
  std::string_view slash;  // "/", "\", "%2F" or "%5C" in any case; empty at the end of the path
  Dots dots = Dots::none;

  bool is_last() const { return slash.empty(); }
  bool has_odd_slash() const { return !slash.empty() && slash != "/"; }
};

std::unexpected<Error> refused(const char* doing);
Result<bool> changes(std::string_view path, const PathPolicy& policy);
bool write(std::string_view path, const PathPolicy& policy, std::string& room);

}  // namespace

Result<HttpTarget> read_target(std::string_view target, const PathPolicy& policy, std::string& room) {
  if (target == "*") return HttpTarget{.path = target};
  if (!target.starts_with('/')) {
    auto colon = target.find(':');
    if (colon == target.npos || !is_scheme(target.substr(0, colon)) ||
        !target.substr(colon).starts_with("://")) {
      return refused(kNoPath);
    }
    target.remove_prefix(colon + 3);
    target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
  }
  HttpTarget read;
  auto mark = target.find('?');
  read.has_query = mark != target.npos;
  if (read.has_query) read.query = target.substr(mark + 1);
  read.path = target.substr(0, mark);
  if (read.path.empty()) read.path = "/";
  auto changed = changes(read.path, policy);
  if (!changed) return std::unexpected(changed.error());
  if (!*changed) return read;
  if (!write(read.path, policy, room)) return refused(kAboveRoot);
  read.path = room;
  return read;
}

namespace {

std::unexpected<Error> refused(const char* doing) {
  return failure(Errc::bad_message, doing, {DetailKind::http_status, 400});
}

bool is_encoded(std::string_view text, std::string_view encoding) {
  return equal_in_any_case(text.substr(0, 3), encoding);
}

Dots dots_of(std::string_view text) {
  int count = 0;
  for (;; ++count) {
    if (text.starts_with('.')) {
      text.remove_prefix(1);
    } else if (is_encoded(text, "%2e")) {
      text.remove_prefix(3);
    } else {
      break;
    }
  }
  if (count != 1 && count != 2) return Dots::none;
  if (text.empty()) return count == 1 ? Dots::one : Dots::two;
  return text.starts_with(';') || is_encoded(text, "%3b") ? Dots::with_parameters : Dots::none;
}

std::string_view slash_at_front(std::string_view text) {
  if (text.starts_with('/') || text.starts_with('\\')) return text.substr(0, 1);
  return is_encoded(text, "%2f") || is_encoded(text, "%5c") ? text.substr(0, 3) : "";
}

Segment take_segment(std::string_view& path) {
  std::size_t size = path.find_first_of("/\\%");
  while (size < path.size() && slash_at_front(path.substr(size)).empty()) {
    size = path.find_first_of("/\\%", size + 1);
  }
  Segment segment{.text = path.substr(0, size)};
  path.remove_prefix(segment.text.size());
  segment.slash = slash_at_front(path);
  path.remove_prefix(segment.slash.size());
  segment.dots = dots_of(segment.text);
  return segment;
}

bool has_lower_case(std::string_view encoding) {
  return std::ranges::any_of(encoding, [](char c) { return c >= 'a' && c <= 'f'; });
}

/// The character that the encoding at the beginning of `text` stands for.
char decoded(std::string_view text) {
  return static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
}

/// Whether an encoded character of this segment is to be written as itself.
bool needs_no_encoding(char c, const Segment& segment) {
  return is_unreserved(c) && !(c == '.' && segment.dots != Dots::none);
}

Result<bool> changes_within(const Segment& segment) {
  bool changed = false;
  for (std::string_view rest = segment.text; !rest.empty();) {
    if (rest.front() != '%') {
      if (rest.front() <= ' ' || rest.front() > '~' || rest.front() == '#') return refused(kBadCharacter);
      rest.remove_prefix(1);
      continue;
    }
    if (rest.size() < 3 || hex_value(rest[1]) < 0 || hex_value(rest[2]) < 0) return refused(kBadEncoding);
    char c = decoded(rest);
    if (c == '\0') return refused(kNul);
    changed = changed || has_lower_case(rest.substr(1, 2)) || needs_no_encoding(c, segment);
    rest.remove_prefix(3);
  }
  return changed;
}

/// Whether anything of `path` has to be written in another way, if it is not refused.
Result<bool> changes(std::string_view path, const PathPolicy& policy) {
  bool changed = false;
  for (bool last = false, behind_odd = false, first = true; !last; first = false) {
    Segment segment = take_segment(path);
    last = segment.is_last();
    if (segment.text.empty() && !first && !last) {
      if (policy.empty_segments == OddPath::reject) return refused(kEmptySegment);
      changed = changed || policy.empty_segments == OddPath::decode;
    }
    auto within = changes_within(segment);
    if (!within) return within;
    changed = changed || *within;
    bool odd = segment.has_odd_slash();
    if (odd && policy.encoded_slashes == OddPath::reject) {
      return refused(segment.slash == "\\" ? kBackslash : kEncodedSlash);
    }
    changed =
        changed || (odd && (policy.encoded_slashes == OddPath::decode || has_lower_case(segment.slash)));
    bool beside_raw = (odd || behind_odd) && policy.encoded_slashes == OddPath::raw;
    behind_odd = odd;
    if (segment.dots == Dots::none || policy.dot_segments == OddPath::raw) continue;
    if (segment.dots == Dots::with_parameters) return refused(kParameters);
    if (policy.dot_segments == OddPath::reject) return refused(kDotSegment);
    if (beside_raw) return refused(kBesideSlash);
    changed = true;
  }
  return changed;
}

void write_upper(std::string_view encoding, std::string& room) {
  for (char c : encoding) room += c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
}

void write_text(const Segment& segment, std::string& room) {
  for (std::string_view rest = segment.text; !rest.empty();) {
    bool encoded = rest.front() == '%';
    if (encoded && !needs_no_encoding(decoded(rest), segment)) {
      write_upper(rest.substr(0, 3), room);
    } else {
      room += encoded ? decoded(rest) : rest.front();
    }
    rest.remove_prefix(encoded ? 3 : 1);
  }
}

/// Whether what ends a segment is a slash once it is written.
bool is_slash(const Segment& segment, const PathPolicy& policy) {
  return !segment.has_odd_slash() || policy.encoded_slashes == OddPath::decode;
}

/// Writes a path that changes() has been through; false if it climbs above the root.
bool write(std::string_view path, const PathPolicy& policy, std::string& room) {
  room.clear();
  for (bool last = false; !last;) {
    Segment segment = take_segment(path);
    last = segment.is_last();
    // A path begins with a slash, so what has been written before a segment ends with one.
    if (segment.dots != Dots::none && policy.dot_segments == OddPath::decode) {
      if (segment.dots == Dots::one) continue;
      room.pop_back();
      auto parent = room.rfind('/');
      if (parent == room.npos) return false;
      room.resize(parent + 1);
      continue;
    }
    bool is_empty = segment.text.empty() && room.ends_with('/') && !last;
    if (is_empty && policy.empty_segments == OddPath::decode && is_slash(segment, policy)) continue;
    write_text(segment, room);
    if (segment.has_odd_slash() && policy.encoded_slashes == OddPath::decode) {
      room += '/';
    } else {
      write_upper(segment.slash, room);
    }
  }
  return true;
}

}  // namespace
}  // namespace lockgate::wire
