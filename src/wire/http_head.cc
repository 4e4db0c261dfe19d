#include "wire/http_head.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "base/check.h"
#include "base/name_pattern.h"

namespace lockgate::wire {
namespace {

constexpr auto kReadingHost = "reading the request's host";
constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kVersion = "HTTP/1.";

/// The words for what is being read.
struct Doing {
  const char* head;
  const char* first_line;
  const char* fields;
};
constexpr Doing kRequest{"reading the request's head", "reading the request's first line",
                         "reading the request's fields"};
constexpr Doing kResponse{"reading the response's head", "reading the response's first line",
                          "reading the response's fields"};

struct Authority {
  std::string host;
  std::string_view port;  // in decimal, or empty
};
Result<Authority> read_authority(std::string_view text);
std::optional<std::string_view> authority_of_target(const RequestHead& head);
template <class Head>
std::optional<Result<Head>> parse_head(std::string_view text, std::size_t begin, const HeadLimits& limits,
                                       const Doing& doing);
bool is_token(std::string_view text);
bool is_value(std::string_view text);

}  // namespace

bool equal_in_any_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> MessageHead::field(std::string_view name) const {
  auto is_it = [&](const HeadField& one) { return equal_in_any_case(one.name, name); };
  auto found = std::ranges::find_if(fields, is_it);
  if (found == fields.end()) return {};
  return found->value;
}

Result<std::string> RequestHead::host() const {
  auto is_host = [](const HeadField& one) { return equal_in_any_case(one.name, "host"); };
  auto hosts = std::ranges::count_if(fields, is_host);
  if (hosts > 1 || (hosts == 0 && minor_version > 0)) return failure(Errc::bad_message, kReadingHost);
  Result<Authority> authority = hosts == 1 ? read_authority(*field("host")) : Authority();
  auto of_target = authority_of_target(*this);
  if (authority && of_target) authority = read_authority(*of_target);
  if (!authority) return std::unexpected(authority.error());
  return std::move(authority->host);
}

std::optional<Result<RequestHead>> parse_request_head(Bytes seen, const HeadLimits& limits) {
  std::string_view text = as_text(seen.first(std::min(seen.size(), limits.bytes)));
  return parse_head<RequestHead>(text, text.starts_with(kLineEnd) ? kLineEnd.size() : 0, limits, kRequest);
}

std::optional<Result<ResponseHead>> parse_response_head(Bytes seen, const HeadLimits& limits) {
  std::string_view text = as_text(seen.first(std::min(seen.size(), limits.bytes)));
  auto agrees = std::min(text.size(), kVersion.size());
  if (text.substr(0, agrees) != kVersion.substr(0, agrees))
    return failure(Errc::bad_message, kResponse.first_line);
  return parse_head<ResponseHead>(text, 0, limits, kResponse);
}

std::string write_response_head(int status, std::string_view reason, std::span<const HeadField> fields) {
  CHECK(status >= 100 && status <= 999 && is_value(reason));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason);
  for (const auto& [name, value] : fields) {
    CHECK(is_token(name) && is_value(value));
    head += fmt::format("{}: {}\r\n", name, value);
  }
  return head += kLineEnd;
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_visible(char c) { return c > ' ' && c < 0x7f; }

/// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  auto allowed = [](char c) { return is_digit(c) || is_letter(c) || kMarks.contains(c); };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

/// What a field's value, and so any line, may hold: no control character but the tab (RFC 9110, 5.5).
bool is_value_character(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f); }
bool is_value(std::string_view text) { return std::ranges::all_of(text, is_value_character); }

/// The line that `text` begins with, without its end; nothing if that has not arrived, unless what has is
/// wrong already.
std::optional<Result<std::string_view>> next_line(std::string_view text, const Doing& doing) {
  auto end = std::ranges::find_if_not(text, is_value_character);
  auto size = static_cast<std::size_t>(end - text.begin());
  if (text.substr(size).starts_with(kLineEnd)) return text.substr(0, size);
  if (kLineEnd.starts_with(text.substr(size))) return {};
  return failure(Errc::bad_message, doing.head);
}

/// RFC 9112, 3.2: each form is for some methods only.
bool is_target(std::string_view method, std::string_view target) {
  if (!std::ranges::all_of(target, is_visible) || target.contains('#')) return false;
  if (method == "CONNECT") {
    auto authority = read_authority(target);
    return authority && !authority->port.empty();
  }
  if (target == "*") return method == "OPTIONS";
  if (target.starts_with('/')) return true;
  std::string_view scheme = target.substr(0, target.find("://"));
  auto allowed = [](char c) { return is_digit(c) || is_letter(c) || c == '+' || c == '-' || c == '.'; };
  return scheme.size() < target.size() && !scheme.empty() && is_letter(scheme.front()) &&
         std::ranges::all_of(scheme, allowed);
}

/// The minor version that `text` names; none if it is not HTTP/1.
std::optional<int> read_version(std::string_view text) {
  if (text.size() != kVersion.size() + 1 || !text.starts_with(kVersion) || !is_digit(text.back())) return {};
  return text.back() - '0';
}

bool read_first_line(std::string_view line, RequestHead& head) {
  auto first = line.find(' '), second = line.rfind(' ');
  if (first == line.npos || first == second) return false;
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, second - first - 1);
  auto version = read_version(line.substr(second + 1));
  head.minor_version = version.value_or(0);
  return version && is_token(head.method) && is_target(head.method, head.target);
}

bool read_first_line(std::string_view line, ResponseHead& head) {
  constexpr std::size_t kStatusAt = kVersion.size() + 2, kReasonAt = kStatusAt + 4;
  auto version = read_version(line.substr(0, kVersion.size() + 1));
  if (!version || line.size() < kReasonAt - 1 || line[kStatusAt - 1] != ' ') return false;
  std::string_view status = line.substr(kStatusAt, 3), rest = line.substr(kReasonAt - 1);
  if (!std::ranges::all_of(status, is_digit) || status.front() == '0') return false;
  if (!rest.empty() && rest.front() != ' ') return false;
  head.minor_version = *version;
  for (char digit : status) head.status = head.status * 10 + (digit - '0');
  head.reason = rest.empty() ? rest : rest.substr(1);
  return true;
}

std::optional<HeadField> read_field(std::string_view line) {
  auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return {};
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && is_space(value.front())) value.remove_prefix(1);
  while (!value.empty() && is_space(value.back())) value.remove_suffix(1);
  return HeadField{line.substr(0, colon), value};
}

/// The head whose first line stands at `begin` of `text`, which is no longer than the limit.
template <class Head>
std::optional<Result<Head>> parse_head(std::string_view text, std::size_t begin, const HeadLimits& limits,
                                       const Doing& doing) {
  Head head;
  head.size = begin;
  for (bool begun = false;;) {
    auto line = next_line(text.substr(head.size), doing);
    if (!line && text.size() == limits.bytes) return failure(Errc::too_large, doing.head);
    if (!line) return {};
    if (!*line) return std::unexpected(line->error());
    head.size += (*line)->size() + kLineEnd.size();
    if (!begun) {
      begun = read_first_line(**line, head);
      if (!begun) return failure(Errc::bad_message, doing.first_line);
      continue;
    }
    if ((*line)->empty()) return head;
    if (head.fields.size() == limits.fields) return failure(Errc::too_large, doing.fields);
    auto field = read_field(**line);
    if (!field) return failure(Errc::bad_message, doing.fields);
    head.fields.push_back(*field);
  }
}

/// The authority of an absolute target or of a CONNECT; nothing for the other forms.
std::optional<std::string_view> authority_of_target(const RequestHead& head) {
  if (head.method == "CONNECT") return head.target;
  if (head.target.starts_with('/') || head.target == "*") return {};
  std::string_view rest = head.target.substr(head.target.find("://") + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && std::ranges::all_of(text, is_digit) &&
         (text.empty() || std::stoul(std::string(text)) <= 0xffff);
}

/// RFC 3986, 3.2.2 and 3.2.3, without user and password, which are not allowed here (RFC 9110, 4.2.4), and
/// without zones, which mean something on the client's machine only.
Result<Authority> read_authority(std::string_view text) {
  bool bracketed = text.starts_with('[');
  auto end = bracketed ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  std::string_view host = text.substr(0, end), rest = text.substr(end);
  bool ported = rest.starts_with(':') && is_port(rest.substr(1));
  std::optional<std::string> name;
  if (!bracketed) {
    name = normalized_name(host);
  } else if (host.contains(':') && !host.contains('%')) {
    if (auto ip = Ip::parse(host)) name = ip->text();
  }
  if (!name || !(rest.empty() || ported)) return failure(Errc::bad_message, kReadingHost);
  return Authority{std::move(*name), ported ? rest.substr(1) : ""};
}

}  // namespace
}  // namespace lockgate::wire
