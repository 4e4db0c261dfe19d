#include "wire/http_framing.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>

#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

constexpr auto kOfRequest = "finding the end of the request";
constexpr auto kOfResponse = "finding the end of the response";
constexpr std::int16_t kBadRequest = 400, kNotImplemented = 501, kBadGateway = 502;

std::optional<std::uint64_t> length_in(std::string_view value);
/// The framing that the fields tell, or the status that a request is refused with for them.
std::expected<std::optional<Framing>, std::int16_t> framing_in(const MessageHead& head);
template <class Visit>
void for_each_connection_option(const MessageHead& head, Visit visit);

std::unexpected<Error> refused(const char* doing, std::int16_t status) {
  return failure(Errc::bad_message, doing, {DetailKind::http_status, status});
}

}  // namespace

Result<Framing> framing_of(const RequestHead& head) {
  auto told = framing_in(head);
  if (!told) return refused(kOfRequest, told.error());
  return told->value_or(Framing{});
}

Result<Framing> framing_of(const ResponseHead& head, std::string_view method) {
  constexpr Framing kNone;
  if (method == "CONNECT" && head.status >= 200 && head.status < 300) return kNone;
  if (method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) {
    bool sound = head.find(FieldName::content_length) == nullptr || told_length(head);
    if (!sound) return refused(kOfResponse, kBadGateway);
    return kNone;
  }
  auto told = framing_in(head);
  if (!told) return refused(kOfResponse, kBadGateway);
  return told->value_or(Framing{.body = Framing::Body::until_close});
}

std::optional<std::uint64_t> told_length(const MessageHead& head) {
  if (head.count(FieldName::content_length) != 1) return {};
  return length_in(head.find(FieldName::content_length)->value);
}

ConnectionOptions connection_options(const MessageHead& head) {
  ConnectionOptions options;
  for_each_connection_option(head, [&](std::string_view option) {
    if (equal_in_any_case(option, "close")) options.close = true;
    if (equal_in_any_case(option, "keep-alive")) options.keep_alive = true;
    if (equal_in_any_case(option, "upgrade")) options.upgrade = true;
    return true;
  });
  return options;
}

bool is_named_by_connection(const MessageHead& head, std::string_view field) {
  return std::ranges::any_of(head.fields, [&](const HeadField& one) {
    return one.id == FieldName::connection && has_member(one.value, field);
  });
}

bool persists(const MessageHead& head) {
  ConnectionOptions options = connection_options(head);
  return !options.close && (head.minor_version > 0 || options.keep_alive);
}

bool has_member(std::string_view list, std::string_view word) {
  bool found = false;
  for_each_member(list, [&](std::string_view member) {
    found = equal_in_any_case(member, word);
    return !found;
  });
  return found;
}

std::string_view take_member(std::string_view& list) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < list.size() && (quoted || list[end] != ','); ++end) {
    if (list[end] == '"') quoted = !quoted;
    if (quoted && list[end] == '\\') ++end;
  }
  std::string_view member = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return trimmed(member);
}

namespace {

/// RFC 9110, 8.6: 1*DIGIT. from_chars() alone would take a '-'.
std::optional<std::uint64_t> length_in(std::string_view value) {
  if (value.empty() || !is_all(kOfNumber, value)) return {};
  std::uint64_t length = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc()) return {};
  return length;
}

bool is_chunked(std::string_view coding) { return equal_in_any_case(coding, "chunked"); }

/// Why a Transfer-Encoding other than "chunked" alone is refused. If it ends with the one "chunked" in it,
/// its sender has delimited the message and only the other coding is unknown here (RFC 9112, 6.1); else
/// nobody can tell where the message ends (6.3).
std::int16_t status_for_codings(std::string_view codings) {
  if (codings.ends_with(',')) return kBadRequest;
  bool delimited = false;
  while (!codings.empty()) {
    std::string_view coding = take_member(codings);
    if (delimited || !is_token(coding)) return kBadRequest;
    delimited = is_chunked(coding);
  }
  return delimited ? kNotImplemented : kBadRequest;
}

std::expected<std::optional<Framing>, std::int16_t> framing_in(const MessageHead& head) {
  const HeadField *codings = head.find(FieldName::transfer_encoding),
                  *length = head.find(FieldName::content_length);
  if (codings != nullptr) {
    // A server that knows only HTTP/1.0 would not look at it (RFC 9112, 6.1).
    bool alone = length == nullptr && head.minor_version > 0 && head.count(codings->id) == 1;
    if (!alone) return std::unexpected(kBadRequest);
    if (!is_chunked(codings->value)) return std::unexpected(status_for_codings(codings->value));
    return Framing{.body = Framing::Body::chunked};
  }
  if (length == nullptr) return std::nullopt;
  auto number = told_length(head);
  if (!number) return std::unexpected(kBadRequest);
  return Framing{.body = Framing::Body::sized, .length = *number};
}

template <class Visit>
void for_each_connection_option(const MessageHead& head, Visit visit) {
  for (const HeadField& field : head.fields) {
    if (field.id == FieldName::connection) for_each_member(field.value, visit);
  }
}

}  // namespace
}  // namespace lockgate::wire
