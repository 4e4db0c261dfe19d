#include "wire/forwarded.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

#include "wire/http_grammar.h"
#include "wire/url.h"

namespace lockgate::wire {
namespace {

template <class Take, class Read>
std::optional<NamedClient> walk(std::span<const HeadField> fields, std::string_view name,
                                std::span<const Network> trusted, Take take_last, Read read);
std::optional<NamedClient> read_node(std::string_view text);
std::optional<NamedClient> read_element(std::string_view element);
std::string_view take_last_entry(std::string_view& list);
std::string_view take_last_element(std::string_view& list);
void append_node(const Ip& ip, std::uint16_t port, std::string& value);
void append_text(std::string_view text, std::string& value);
bool is_writable(std::string_view text);

}  // namespace

std::optional<NamedClient> client_of_list(std::span<const HeadField> fields, std::string_view name,
                                          std::span<const Network> trusted) {
  return walk(fields, name, trusted, take_last_entry, read_node);
}

std::optional<NamedClient> client_of_forwarded(std::span<const HeadField> fields,
                                               std::span<const Network> trusted) {
  return walk(fields, "forwarded", trusted, take_last_element, read_element);
}

std::optional<NamedClient> client_of_field(std::span<const HeadField> fields, std::string_view name) {
  auto value = only_value_in(fields, name);
  return value ? read_node(*value) : std::nullopt;
}

std::string_view last_of_list(std::span<const HeadField> fields, std::string_view name) {
  for (const HeadField& field : std::views::reverse(fields)) {
    if (!equal_in_any_case(field.name, name)) continue;
    for (std::string_view list = field.value; !list.empty();) {
      std::string_view entry = trimmed(take_last_entry(list));
      if (!entry.empty()) return entry;
    }
  }
  return {};
}

void append_forwarded(const ForwardedElement& element, std::string& value) {
  value += value.empty() ? "for=" : ", for=";
  append_node(element.client, element.client_port, value);
  if (!element.by.is_none()) {
    value += ";by=";
    append_node(element.by, 0, value);
  }
  if (!element.host.empty() && is_writable(element.host)) {
    value += ";host=";
    append_text(element.host, value);
  }
  if (is_scheme(element.proto)) {
    value += ";proto=";
    value += element.proto;
  }
}

namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_writable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

template <class Take, class Read>
std::optional<NamedClient> walk(std::span<const HeadField> fields, std::string_view name,
                                std::span<const Network> trusted, Take take_last, Read read) {
  std::optional<NamedClient> client;
  std::size_t looked_at = 0;
  for (const HeadField& field : std::views::reverse(fields)) {
    if (!equal_in_any_case(field.name, name)) continue;
    for (std::string_view list = field.value; !list.empty();) {
      if (looked_at++ == kMostForwarders) return client;
      std::string_view entry = trimmed(take_last(list));
      if (entry.empty()) continue;
      auto named = read(entry);
      if (!named) return client;
      client = named;
      if (std::ranges::none_of(trusted, [&](const Network& one) { return one.contains(named->ip); })) {
        return client;
      }
    }
  }
  return client;
}

/// What stands behind the last comma, taken off with it.
std::string_view take_last_entry(std::string_view& list) {
  auto comma = list.rfind(',');
  auto begin = comma == list.npos ? 0 : comma + 1;
  auto entry = list.substr(begin);
  list = list.substr(0, begin == 0 ? 0 : comma);
  return entry;
}

/// What stands behind the last comma that is in no quoted string. It is looked for from the end, where the
/// proxy's own words are: a quote that somebody left open before them does not swallow them. A quote behind
/// an odd number of backslashes is one within a string.
std::string_view take_last_element(std::string_view& list) {
  bool quoted = false;
  std::size_t begin = list.size();
  for (; begin > 0; --begin) {
    char c = list[begin - 1];
    if (c == ',' && !quoted) break;
    if (c != '"') continue;
    std::string_view before = list.substr(0, begin - 1);
    auto backslashes = before.size() - (before.find_last_not_of('\\') + 1);
    if (backslashes % 2 == 0) quoted = !quoted;
  }
  auto element = list.substr(begin);
  list = list.substr(0, begin == 0 ? 0 : begin - 1);
  return element;
}

/// A port in decimal, or an obfuscated one, which is not told (RFC 7239, 6.2 and 6.3).
std::optional<std::uint16_t> read_port(std::string_view text) {
  if (text.starts_with('_')) {
    auto allowed = [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; };
    if (text.size() < 2 || !std::ranges::all_of(text, allowed)) return {};
    return 0;
  }
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.size() > 5 || error != std::errc() || end != text.data() + text.size()) return {};
  return port;
}

/// An address with an optional port; nothing for all else. Nobody calls from the unspecified address.
std::optional<NamedClient> read_node(std::string_view text) {
  std::string_view address = text, port;
  bool bracketed = text.starts_with('['), ported = false;
  if (bracketed) {
    auto end = text.find(']');
    if (end == text.npos) return {};
    address = text.substr(1, end - 1);
    ported = end + 1 < text.size();
    if (ported && text[end + 1] != ':') return {};
    if (ported) port = text.substr(end + 2);
    if (!address.contains(':')) return {};
  } else if (std::ranges::count(text, ':') == 1) {
    ported = true;
    address = text.substr(0, text.find(':'));
    port = text.substr(address.size() + 1);
  }
  // Resolving a zone would ask the system, and it is none of this machine's.
  if (address.contains(':')) address = address.substr(0, address.find('%'));
  if (address.contains('[') || address.contains('%')) return {};
  auto ip = Ip::parse(address);
  if (!ip || ip->is_unspecified()) return {};
  NamedClient named{.ip = *ip};
  if (!ported) return named;
  auto number = read_port(port);
  if (!number) return {};
  named.port = *number;
  return named;
}

/// The pair in front of the next semicolon that is in no quoted string, taken off with it.
std::string_view take_pair(std::string_view& element) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < element.size() && (quoted || element[end] != ';'); ++end) {
    if (element[end] == '"') quoted = !quoted;
    if (quoted && element[end] == '\\') ++end;
  }
  end = std::min(end, element.size());
  auto pair = element.substr(0, end);
  element.remove_prefix(std::min(end + 1, element.size()));
  return trimmed(pair);
}

/// What a parameter's value says, without its quotes. Nothing that is read here needs a backslash, and who
/// writes one is not understood.
std::optional<std::string_view> read_value(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  } else if (text.empty() || text.find_first_of(" \t") != text.npos) {
    return {};
  }
  if (text.find_first_of("\"\\") != text.npos) return {};
  return text;
}

/// A quoted string with backslashes in it, as the value of a parameter that is not ours may be.
bool is_quoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"') return false;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1 == text.size();
  }
  return false;
}

std::optional<NamedClient> read_element(std::string_view element) {
  constexpr std::array<std::string_view, 4> kNames = {"for", "by", "host", "proto"};
  std::array<std::optional<std::string_view>, kNames.size()> values;
  while (!element.empty()) {
    std::string_view pair = take_pair(element);
    if (pair.empty()) continue;
    auto equals = std::min(pair.find('='), pair.size());
    std::string_view name = pair.substr(0, equals), text = pair.substr(std::min(equals + 1, pair.size()));
    auto value = read_value(text);
    if (!is_token(name) || (!value && !is_quoted(text))) return {};
    auto is_it = [&](std::string_view one) { return equal_in_any_case(one, name); };
    auto known = static_cast<std::size_t>(std::ranges::find_if(kNames, is_it) - kNames.begin());
    if (known == kNames.size()) continue;
    if (values[known]) return {};  // RFC 7239, 4: no parameter twice
    values[known] = value.value_or("");
  }
  auto& [node, by, host, proto] = values;
  auto named = node ? read_node(*node) : std::nullopt;
  if (!named) return {};
  if (host && parse_authority(*host)) named->host = *host;
  if (proto && is_scheme(*proto)) named->proto = *proto;
  return named;
}

void append_node(const Ip& ip, std::uint16_t port, std::string& value) {
  if (ip.is_none()) {
    value += "unknown";
    return;
  }
  std::string text = Ip::from_bytes(ip.bytes()).text();  // without a zone, for which there is no form
  bool quoted = ip.is_v6() || port != 0;
  if (quoted) value += '"';
  if (ip.is_v6()) value += '[';
  value += text;
  if (ip.is_v6()) value += ']';
  if (port != 0) value.append(":").append(std::to_string(port));
  if (quoted) value += '"';
}

/// As a token, or else as a quoted string (RFC 9110, 5.6.4).
void append_text(std::string_view text, std::string& value) {
  if (is_token(text)) {
    value += text;
    return;
  }
  value += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') value += '\\';
    value += c;
  }
  value += '"';
}

}  // namespace
}  // namespace lockgate::wire
