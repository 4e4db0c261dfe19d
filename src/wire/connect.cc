#include "wire/connect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/address.h"
#include "base/name_pattern.h"
#include "wire/credentials.h"
#include "wire/http_framing.h"
#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

constexpr auto kWriting = "asking the parent for a tunnel";
constexpr auto kReading = "reading the parent's answer";
constexpr std::size_t kLongestToken = 40;

struct Meaning {
  std::string_view cause;
  Errc code;
};
// RFC 9209, 2.3; Squid's err_type.h.
constexpr std::array<Meaning, 11> kMeanings{{{"dns_error", Errc::unresolved},
                                             {"dns_timeout", Errc::unresolved},
                                             {"destination_unavailable", Errc::unreachable},
                                             {"destination_ip_unroutable", Errc::unreachable},
                                             {"connection_terminated", Errc::unreachable},
                                             {"connection_timeout", Errc::timed_out},
                                             {"ERR_DNS_FAIL", Errc::unresolved},
                                             {"ERR_CONNECT_FAIL", Errc::unreachable},
                                             {"ERR_CANNOT_FORWARD", Errc::unreachable},
                                             {"ERR_READ_TIMEOUT", Errc::timed_out},
                                             {"ERR_GATEWAY_FAILURE", Errc::unreachable}}};

std::string printable(std::string_view reason);
std::vector<std::string> schemes_of(std::span<const HeadField> fields);
std::string cause_of(std::span<const HeadField> fields);
void look_at_page(const ResponseHead& head, ConnectAnswer& answer);
Page unchunked(std::string_view body);

}  // namespace

Result<std::string> write_connect(std::string_view host, std::uint16_t port, std::string_view user,
                                  std::string_view password) {
  auto ip = host.contains('%') || host.contains('[') ? std::optional<Ip>() : Ip::parse(host);
  auto name = ip ? ip->text() : normalized_name(host);
  if (!name) return failure(Errc::bad_message, kWriting);
  bool bracketed = ip && ip->is_v6();
  std::string target = fmt::format("{}{}{}:{}", bracketed ? "[" : "", *name, bracketed ? "]" : "", port);
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  std::string authorization = basic_authorization(user, password);
  if (!authorization.empty()) request += fmt::format("Proxy-Authorization: {}\r\n", authorization);
  return request += "\r\n";
}

bool ConnectAnswer::offers(std::string_view scheme) const {
  return std::ranges::any_of(schemes, [&](const auto& one) { return equal_in_any_case(one, scheme); });
}

std::optional<Result<ConnectAnswer>> parse_connect_answer(Bytes seen) {
  for (std::size_t skipped = 0;;) {
    auto head = parse_response_head(seen.subspan(skipped), {.bytes = kLongestConnectAnswer - skipped});
    if (!head) return {};
    if (!*head) return failure(head->error().code, kReading);
    skipped += (*head)->size;
    if ((*head)->status == 101) return failure(Errc::bad_message, kReading);
    if ((*head)->status < 200) continue;
    ConnectAnswer answer{.status = (*head)->status, .reason = printable((*head)->reason), .size = skipped};
    if (answer.is_tunnel()) return answer;
    answer.schemes = schemes_of((*head)->fields);
    answer.cause = cause_of((*head)->fields);
    look_at_page(**head, answer);
    return answer;
  }
}

ConnectAnswer refusal_in(int status, std::string_view reason, std::span<const HeadField> fields) {
  return {.status = status,
          .reason = printable(reason),
          .schemes = schemes_of(fields),
          .cause = cause_of(fields)};
}

Errc meaning_of_refusal(const ConnectAnswer& answer) {
  auto known = std::ranges::find(kMeanings, answer.cause, &Meaning::cause);
  if (known != kMeanings.end()) return known->code;
  switch (answer.status) {
    case 502:
      return Errc::unreachable;
    case 408:
    case 504:
      return Errc::timed_out;
    default:
      return Errc::refused;
  }
}

Page page_of_refusal(const ConnectAnswer& answer, Bytes seen) {
  std::string_view body = as_text(seen.subspan(answer.size));
  if (!answer.legible) return {.ended = true};
  if (answer.chunked) return unchunked(body);
  std::size_t size = std::min({body.size(), kLongestPage, answer.page_size.value_or(SIZE_MAX)});
  return {.content = std::string(body.substr(0, size)),
          .ended = answer.page_size && size == *answer.page_size};
}

namespace {

std::string printable(std::string_view reason) {
  std::string text(reason.substr(0, kLongestReason));
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// The token that `text` begins with, and takes it off; empty if there is none, or too long a one.
std::string_view take_token(std::string_view& text) {
  auto end = std::ranges::find_if_not(text, is_token_character);
  auto token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(token.size());
  return token.size() <= kLongestToken ? token : "";
}

void skip(std::string_view& text, std::string_view what) {
  text.remove_prefix(std::min(text.find_first_not_of(what), text.size()));
}

/// RFC 9110, 11.6.1: challenges and the parameters of each stand in one list. A parameter has a '=' behind
/// its name, and a scheme has a space or nothing.
std::vector<std::string> schemes_of(std::span<const HeadField> fields) {
  std::vector<std::string> schemes;
  for (const HeadField& field : fields) {
    if (!equal_in_any_case(field.name, "proxy-authenticate")) continue;
    for (std::string_view list = field.value; !list.empty() && schemes.size() < kMostSchemes;) {
      std::string_view element = take_member(list);
      std::string_view name = take_token(element);
      skip(element, " \t");
      bool known = std::ranges::any_of(schemes, [&](const auto& s) { return equal_in_any_case(s, name); });
      if (!name.empty() && !element.starts_with('=') && !known) schemes.emplace_back(name);
    }
  }
  return schemes;
}

std::string cause_of(std::span<const HeadField> fields) {
  constexpr std::string_view kParameter = "error=";
  if (auto squid = value_in(fields, "x-squid-error")) return std::string(take_token(*squid));
  auto status = value_in(fields, "proxy-status");
  auto at = status ? status->find(kParameter) : std::string_view::npos;
  if (at == std::string_view::npos) return "";
  status->remove_prefix(at + kParameter.size());
  return std::string(take_token(*status));
}

std::optional<std::size_t> number_of(std::string_view text, int base) {
  std::size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

void look_at_page(const ResponseHead& head, ConnectAnswer& answer) {
  auto type = head.field("content-type").value_or("text/html");
  auto encoding = head.field("content-encoding").value_or("identity");
  bool is_text =
      equal_in_any_case(type.substr(0, 5), "text/") || equal_in_any_case(type.substr(0, 12), "application/");
  answer.legible = is_text && equal_in_any_case(encoding, "identity");
  answer.chunked = equal_in_any_case(head.field("transfer-encoding").value_or(""), "chunked");
  auto size = head.field("content-length");
  if (size) answer.page_size = number_of(*size, 10);
  if (answer.status == 204 || answer.status == 304) answer.page_size = 0;
}

/// RFC 9112, 7.1. What breaks the format ends the page.
Page unchunked(std::string_view body) {
  Page page;
  while (page.content.size() < kLongestPage) {
    auto line_end = body.find("\r\n");
    if (line_end == body.npos) return page;
    auto line = body.substr(0, line_end);
    auto size = number_of(line.substr(0, line.find_first_of("; \t")), 16);
    page.ended = !size || *size == 0;
    if (page.ended) return page;
    body.remove_prefix(line_end + 2);
    page.content += body.substr(0, std::min(*size, kLongestPage - page.content.size()));
    if (body.size() < *size || body.size() - *size < 2) return page;
    body.remove_prefix(*size + 2);
  }
  return page;
}

}  // namespace
}  // namespace lockgate::wire
