#include "wire/url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/address.h"
#include "base/name_pattern.h"
#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_host_name(std::string_view text);
bool is_bracketed_ipv6(std::string_view text);
bool is_rest(std::string_view text);

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  bool bracketed = text.starts_with('[');
  auto end = std::min(bracketed ? text.find(']') : text.find(':'), text.size());
  if (bracketed && end < text.size()) ++end;
  authority.host = text.substr(0, end);
  if (bracketed ? !is_bracketed_ipv6(authority.host) : !is_host_name(authority.host)) return {};
  std::string_view rest = text.substr(end);
  if (rest.empty() || rest == ":") return authority;
  std::string_view digits = rest.substr(1);
  std::uint16_t port = 0;
  auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  bool whole = error == std::errc() && last == digits.data() + digits.size() && digits.size() <= 5;
  if (!rest.starts_with(':') || !whole) return {};
  authority.port = port;
  return authority;
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
  if (!text.starts_with("//")) {
    auto colon = text.find(':');
    if (colon == text.npos || !is_scheme(text.substr(0, colon))) return {};
    url.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    if (!text.starts_with("//")) return {};
  }
  text.remove_prefix(2);
  url.authority = text.substr(0, text.find_first_of("/?#"));
  text.remove_prefix(url.authority.size());
  auto authority = parse_authority(url.authority);
  if (!authority || !is_rest(text)) return {};
  url.host = authority->host;
  url.port = authority->port;
  if (auto hash = text.find('#'); hash != text.npos) {
    url.has_fragment = true;
    url.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (auto mark = text.find('?'); mark != text.npos) {
    url.has_query = true;
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  url.path = text;
  return url;
}

std::optional<std::uint16_t> default_port(std::string_view scheme) {
  using Pair = std::pair<std::string_view, std::uint16_t>;
  static constexpr std::array<Pair, 4> kPorts{{{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}}};
  auto is_it = [&](const Pair& one) { return equal_in_any_case(one.first, scheme); };
  auto found = std::ranges::find_if(kPorts, is_it);
  if (found == kPorts.end()) return {};
  return found->second;
}

bool same_host(std::string_view a, std::string_view b) {
  if (equal_in_any_case(a, b)) return true;
  if (!is_bracketed_ipv6(a) || !is_bracketed_ipv6(b)) return false;
  return Ip::parse(a) == Ip::parse(b);
}

bool is_scheme(std::string_view text) {
  auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, allowed);
}

namespace {

/// As normalized_name() has it, but without making one.
bool is_host_name(std::string_view text) {
  auto allowed = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kLongestName + 1 && text.front() != '.' && !text.contains("..") &&
         std::ranges::all_of(text, allowed);
}

bool is_bracketed_ipv6(std::string_view text) {
  // A zone would mean something on one machine only, and reading it would ask the system.
  return text.starts_with('[') && text.ends_with(']') && text.contains(':') && !text.contains('%') &&
         Ip::parse(text).has_value();
}

/// Whether a path, a query and a fragment have the characters of RFC 3986, 3.3 to 3.5.
bool is_rest(std::string_view text) {
  static constexpr std::string_view kMarks = "!$&'()*+,;=:@/?";
  bool fragment = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (is_unreserved(c) || kMarks.contains(c)) continue;
    if (c == '#' && !std::exchange(fragment, true)) continue;
    bool encoded =
        c == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
    if (!encoded) return false;
  }
  return true;
}

}  // namespace
}  // namespace lockgate::wire
