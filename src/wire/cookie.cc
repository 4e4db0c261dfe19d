#include "wire/cookie.h"

#include <algorithm>

#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

std::string_view unquoted(std::string_view text) {
  bool quoted = text.size() >= 2 && text.starts_with('"') && text.ends_with('"');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

Cookie read_pair(std::string_view pair) {
  auto equals = pair.find('=');
  if (equals == pair.npos) return {.name = {}, .value = unquoted(trimmed(pair))};
  return {.name = trimmed(pair.substr(0, equals)), .value = unquoted(trimmed(pair.substr(equals + 1)))};
}

/// What stands in front of the next semicolon; that is taken, too.
std::string_view take_pair(std::string_view& unread) {
  std::string_view pair = unread.substr(0, unread.find(';'));
  unread.remove_prefix(std::min(pair.size() + 1, unread.size()));
  return pair;
}

}  // namespace

std::optional<Cookie> take_cookie(std::string_view& unread) {
  while (!unread.empty()) {
    std::string_view pair = take_pair(unread);
    if (!trimmed(pair).empty()) return read_pair(pair);
  }
  return {};
}

Cookie cookie_set_by(std::string_view set_cookie) {
  return read_pair(set_cookie.substr(0, set_cookie.find(';')));
}

std::string_view without_cookie(std::string_view cookies, std::string_view name, Arena& arena) {
  bool found = false;
  for (std::string_view unread = cookies; auto cookie = take_cookie(unread);) found |= cookie->name == name;
  if (!found) return cookies;
  auto room = arena.take(cookies.size());
  char *begin = room.data(), *at = begin;
  for (std::string_view unread = cookies; !unread.empty();) {
    std::string_view pair = take_pair(unread);
    if (trimmed(pair).empty() || read_pair(pair).name == name) continue;
    if (at == begin) pair = trimmed(pair);
    if (at != begin) *at++ = ';';
    at = std::ranges::copy(pair, at).out;
  }
  return {begin, at};
}

std::optional<Cookie> take_path_parameter(std::string_view& unread) {
  auto begin = unread.find(';');
  if (begin == unread.npos) {
    unread = {};
    return {};
  }
  unread.remove_prefix(begin + 1);
  std::string_view parameter = unread.substr(0, unread.find_first_of(";/"));
  unread.remove_prefix(parameter.size());
  return read_pair(parameter);
}

bool is_wanted(std::string_view name, std::string_view wanted) {
  if (!wanted.ends_with('*')) return name == wanted;
  return name.starts_with(wanted.substr(0, wanted.size() - 1));
}

}  // namespace lockgate::wire
