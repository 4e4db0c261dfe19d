#include "wire/http_head.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "base/check.h"
#include "base/name_pattern.h"
#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

constexpr auto kReadingHost = "reading the request's host";
constexpr std::string_view kLineEnd = "\r\n";
constexpr Detail kBadRequest{DetailKind::http_status, 400};

/// Whose head is read, and the words for it.
struct Reading {
  bool request;
  const char* head;
  const char* first_line;
  const char* fields;
};
constexpr Reading kRequest{true, "reading the request's head", "reading the request's first line",
                           "reading the request's fields"};
constexpr Reading kResponse{false, "reading the response's head", "reading the response's first line",
                            "reading the response's fields"};

struct Authority {
  std::string host;
  std::string_view port;  // in decimal, or empty
};
Result<Authority> read_authority(std::string_view text);
std::optional<std::string_view> authority_of_target(const RequestHead& head);
template <class Head>
std::optional<Result<void>> read_head(Bytes seen, const HeadLimits& limits, const Reading& reading,
                                      Head& head);
template <class Head>
std::optional<Result<Head>> owned(const std::optional<Result<void>>& outcome, Head& head);

}  // namespace

bool equal_in_any_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (a.size() != b.size()) return false;
  if (a == b) return true;  // as most of what is compared is written
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> value_in(std::span<const HeadField> fields, std::string_view name) {
  auto is_it = [&](const HeadField& one) { return equal_in_any_case(one.name, name); };
  auto found = std::ranges::find_if(fields, is_it);
  if (found == fields.end()) return {};
  return found->value;
}

std::optional<std::string_view> only_value_in(std::span<const HeadField> fields, std::string_view name) {
  auto is_it = [&](const HeadField& one) { return equal_in_any_case(one.name, name); };
  if (std::ranges::count_if(fields, is_it) != 1) return {};
  return value_in(fields, name);
}

const HeadField* MessageHead::find(FieldName id) const {
  auto found = std::ranges::find(fields, id, &HeadField::id);
  return found == fields.end() ? nullptr : &*found;
}

std::size_t MessageHead::count(FieldName id) const {
  return static_cast<std::size_t>(std::ranges::count(fields, id, &HeadField::id));
}

Result<std::string> RequestHead::host() const {
  auto hosts = count(FieldName::host);
  if (hosts > 1 || (hosts == 0 && minor_version > 0))
    return failure(Errc::bad_message, kReadingHost, kBadRequest);
  Result<Authority> authority = hosts == 1 ? read_authority(find(FieldName::host)->value) : Authority();
  auto of_target = authority_of_target(*this);
  if (authority && of_target) authority = read_authority(*of_target);
  if (!authority) return std::unexpected(authority.error());
  return std::move(authority->host);
}

std::optional<Result<void>> read_request_head(Bytes seen, const HeadLimits& limits, RequestHead& head) {
  return read_head(seen, limits, kRequest, head);
}

std::optional<Result<RequestHead>> parse_request_head(Bytes seen, const HeadLimits& limits) {
  RequestHead head;
  auto outcome = read_request_head(seen, limits, head);
  return owned(outcome, head);
}

std::optional<Result<void>> read_response_head(Bytes seen, const HeadLimits& limits, ResponseHead& head) {
  return read_head(seen, limits, kResponse, head);
}

std::optional<Result<ResponseHead>> parse_response_head(Bytes seen, const HeadLimits& limits) {
  ResponseHead head;
  auto outcome = read_response_head(seen, limits, head);
  return owned(outcome, head);
}

std::string write_response_head(int status, std::string_view reason, std::span<const HeadField> fields) {
  CHECK(status >= 100 && status <= 999 && is_value(reason));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason);
  for (const HeadField& field : fields) {
    CHECK(is_token(field.name) && is_value(field.value));
    head += fmt::format("{}: {}\r\n", field.name, field.value);
  }
  return head += kLineEnd;
}

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// RFC 9112, 3.2: each form is for some methods only.
bool is_target(std::string_view method, std::string_view target) {
  if (method == "CONNECT") {
    auto authority = read_authority(target);
    return authority && !authority->port.empty();
  }
  if (target == "*") return method == "OPTIONS";
  if (target.starts_with('/')) return true;
  std::string_view scheme = target.substr(0, target.find("://"));
  auto allowed = [](char c) { return is(kOfNumber, c) || is_letter(c) || c == '+' || c == '-' || c == '.'; };
  return scheme.size() < target.size() && !scheme.empty() && is_letter(scheme.front()) &&
         std::ranges::all_of(scheme, allowed);
}

/// Bytes as `pattern` has them, in which a 0 stands for any digit.
Step read_pattern(Unread& unread, std::string_view pattern) {
  for (char wanted : pattern) {
    if (unread.empty()) return Step::more;
    if (wanted == '0' ? !is(kOfNumber, *unread.at) : *unread.at != wanted) return Step::broken;
    ++unread.at;
  }
  return Step::done;
}

/// A run of bytes and the space behind it.
Step read_word(Unread& unread, Part part, std::string_view& word) {
  word = unread.run(part);
  if (unread.empty()) return Step::more;
  if (word.empty() || *unread.at != ' ') return Step::broken;
  ++unread.at;
  return Step::done;
}

Step read_first_line(Unread& unread, const HeadLimits& limits, RequestHead& head) {
  Step step = Step::done;
  if (!unread.empty() && *unread.at == '\r') step = read_line_end(unread);
  if (step == Step::done) step = read_word(unread, kOfToken, head.method);
  if (step != Step::done) return step;
  step = read_word(unread, kOfTarget, head.target);
  if (limits.target > 0 && head.target.size() > limits.target) return Step::long_target;
  if (step == Step::done) step = read_pattern(unread, "HTTP/0.0");
  const char* version = unread.at;
  if (step == Step::done) step = read_line_end(unread);
  if (step != Step::done) return step;
  if (version[-3] != '1') return Step::other_version;
  head.minor_version = version[-1] - '0';
  return is_target(head.method, head.target) ? Step::done : Step::broken;
}

Step read_first_line(Unread& unread, const HeadLimits& /*limits*/, ResponseHead& head) {
  Step step = read_pattern(unread, "HTTP/1.0 000");
  if (step != Step::done) return step;
  std::string_view status(unread.at - 3, 3);
  if (status.front() == '0') return Step::broken;
  head.status = 0;
  for (char digit : status) head.status = head.status * 10 + (digit - '0');
  head.minor_version = unread.at[-5] - '0';
  head.reason = {};
  if (!unread.empty() && *unread.at == ' ') {
    ++unread.at;
    head.reason = unread.run(kOfValue);
  }
  return read_line_end(unread);
}

/// Up to and including the empty line.
Step read_fields(Unread& unread, std::size_t most, std::vector<HeadField>& fields) {
  for (;;) {
    if (unread.empty()) return Step::more;
    if (*unread.at == '\r') return read_line_end(unread);
    if (fields.size() == most) return Step::too_much;
    Step step = read_field_line(unread, fields.emplace_back());
    if (step != Step::done) return step;
  }
}

std::unexpected<Error> refused(Step step, const char* doing, const Reading& reading) {
  bool large = step == Step::too_much || step == Step::long_target;
  auto status = reading.request ? static_cast<std::int16_t>(step) : std::int16_t{502};
  return failure(large ? Errc::too_large : Errc::bad_message, doing, {DetailKind::http_status, status});
}

template <class Head>
std::optional<Result<void>> read_head(Bytes seen, const HeadLimits& limits, const Reading& reading,
                                      Head& head) {
  Unread unread(as_text(seen.first(std::min(seen.size(), limits.bytes))));
  const char* begin = unread.at;
  head.fields.clear();
  Step step = read_first_line(unread, limits, head);
  bool begun = step == Step::done;
  if (begun) step = read_fields(unread, limits.fields, head.fields);
  head.size = static_cast<std::size_t>(unread.at - begin);
  if (step == Step::done) return Result<void>();
  if (step != Step::more) return refused(step, begun ? reading.fields : reading.first_line, reading);
  if (seen.size() >= limits.bytes) return refused(Step::too_much, reading.head, reading);
  return {};
}

template <class Head>
std::optional<Result<Head>> owned(const std::optional<Result<void>>& outcome, Head& head) {
  if (!outcome) return {};
  if (!*outcome) return std::unexpected(outcome->error());
  return std::move(head);
}

/// The authority of an absolute target or of a CONNECT; nothing for the other forms.
std::optional<std::string_view> authority_of_target(const RequestHead& head) {
  if (head.method == "CONNECT") return head.target;
  if (head.target.starts_with('/') || head.target == "*") return {};
  std::string_view rest = head.target.substr(head.target.find("://") + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && is_all(kOfNumber, text) &&
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
  if (!name || !(rest.empty() || ported)) return failure(Errc::bad_message, kReadingHost, kBadRequest);
  return Authority{std::move(*name), ported ? rest.substr(1) : ""};
}

}  // namespace
}  // namespace lockgate::wire
