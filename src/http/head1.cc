#include "http/head1.h"

#include <fmt/format.h>

#include <algorithm>

namespace lockgate::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// What concerns this connection only (RFC 9110, 7.6.1), or has a place of its own in the message.
bool is_ours(FieldName id) {
  switch (id) {
    case FieldName::connection:
    case FieldName::content_length:
    case FieldName::expect:
    case FieldName::host:
    case FieldName::keep_alive:
    case FieldName::proxy_connection:
    case FieldName::te:
    case FieldName::transfer_encoding:
    case FieldName::upgrade:
      return true;
    default:
      return false;
  }
}

// Connection may name any field (RFC 9110, 7.6.1), but for those that tell whom a request is from: nobody
// hides behind a proxy that passes this on. Whether it has named one that there was.
bool take_fields(const wire::MessageHead& head, Fields& fields, Arena& arena) {
  bool names_others = head.find(FieldName::connection) != nullptr, lost = false;
  for (const wire::HeadField& field : head.fields) {
    if (is_ours(field.id)) continue;
    if (names_others && !wire::tells_of_client(field.id) && is_named_by_connection(head, field.name)) {
      lost = true;
      continue;
    }
    std::string_view name = field.id == FieldName::other ? arena.copy(field.name) : text_of(field.id);
    fields.add(name, arena.copy(field.value), field.id);
  }
  return lost;
}

bool lists(const wire::MessageHead& head, FieldName id, std::string_view word) {
  return std::ranges::any_of(head.fields, [&](const wire::HeadField& field) {
    return field.id == id && wire::has_member(field.value, word);
  });
}

// What is wanted is not `h2c`, which would carry requests past all rules (RFC 9113, 3.1, has given it up).
std::string_view upgrade_of(const wire::MessageHead& head, Arena& arena) {
  const wire::HeadField* wanted = head.find(FieldName::upgrade);
  if (!wanted || head.count(FieldName::upgrade) > 1 || !connection_options(head).upgrade) return {};
  bool dangerous = false;
  wire::for_each_member(wanted->value, [&](std::string_view member) {
    std::string_view name = member.substr(0, member.find('/'));
    dangerous = dangerous || wire::equal_in_any_case(name, "h2c") || wire::equal_in_any_case(name, "h2") ||
                wire::equal_in_any_case(name, "HTTP") || wire::equal_in_any_case(name, "TLS");
    return !dangerous;
  });
  return dangerous ? std::string_view() : arena.copy(wanted->value);
}

// The target in origin form; what stands before the path of an absolute one is the authority.
void take_target(const wire::RequestHead& head, Request& request, Arena& arena) {
  const wire::HeadField* host = head.find(FieldName::host);
  std::string_view authority = host ? host->value : std::string_view(), target = head.target;
  if (head.method == "CONNECT") {
    authority = target;
    target = "";
  } else if (!target.starts_with('/') && target != "*") {
    std::string_view rest = target.substr(target.find("://") + 3);
    authority = rest.substr(0, rest.find_first_of("/?"));
    target = rest.substr(authority.size());
  }
  request.authority = arena.copy(authority);
  bool rootless = head.method != "CONNECT" && !target.starts_with('/') && target != "*";
  if (rootless && head.method == "OPTIONS" && target.empty())
    request.target = "*";  // RFC 9112, 3.2.4
  else
    request.target = rootless ? arena.join("/", target) : arena.copy(target);
}

void write_field(const wire::HeadField& field, std::string& out) {
  constexpr std::string_view kColon = ": ";
  std::size_t begin = out.size();
  std::size_t end = begin + field.name.size() + kColon.size() + field.value.size() + kLineEnd.size();
  out.resize_and_overwrite(end, [&](char* text, std::size_t) {
    char* at = text + begin;
    for (std::string_view part : {field.name, kColon, field.value, kLineEnd})
      at = std::ranges::copy(part, at).out;
    return end;
  });
}

void write_form(const HeadForm& form, std::string_view upgrade, std::string& out) {
  if (form.body == BodyForm::sized) {
    char digits[20];
    auto end = fmt::format_to(digits, "{}", form.length);
    out.append("Content-Length: ").append(digits, end).append(kLineEnd);
  }
  if (form.body == BodyForm::chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (form.asks_continue) out.append("Expect: 100-continue\r\n");
  if (!upgrade.empty())
    out.append("Connection: upgrade\r\nUpgrade: ").append(upgrade).append(kLineEnd);
  else if (form.close)
    out.append("Connection: close\r\n");
  else if (form.keep_alive)
    out.append("Connection: keep-alive\r\n");
  out.append(kLineEnd);
}

}  // namespace

wire::HeadLimits limits_of(const config::HttpServer& options) {
  return {.bytes = options.head_limit, .fields = options.field_limit, .target = options.target_limit};
}

Result<wire::Framing> take_request(const wire::RequestHead& head, Request& request, Arena& arena) {
  request.method = arena.copy(head.method);
  request.minor_version = static_cast<std::uint8_t>(head.minor_version);
  take_target(head, request, arena);
  auto host = head.host();
  if (!host) return std::unexpected(host.error());
  request.host = arena.copy(*host);
  auto framing = framing_of(head);
  if (!framing) return framing;
  request.has_body = framing->body != wire::Framing::Body::none;
  if (framing->body == wire::Framing::Body::sized) request.length = framing->length;
  request.wants_continue =
      request.has_body && head.minor_version > 0 && lists(head, FieldName::expect, "100-continue");
  request.takes_trailers = lists(head, FieldName::te, "trailers");
  bool bodyless = !request.has_body || request.length == 0;
  if (bodyless && head.minor_version > 0) request.upgrade = upgrade_of(head, arena);
  request.lost_fields = take_fields(head, request.fields, arena);
  return framing;
}

Result<wire::Framing> take_response(const wire::ResponseHead& head, std::string_view method,
                                    Response& response, Arena& arena) {
  auto framing = framing_of(head, method);
  if (!framing) return framing;
  response.status = head.status;
  response.reason = arena.copy(head.reason);
  response.has_body = framing->body != wire::Framing::Body::none;
  if (framing->body == wire::Framing::Body::sized) response.length = framing->length;
  bool may_tell = !response.has_body && head.status >= 200 && head.status != 204;
  if (may_tell) response.length = wire::told_length(head);  // of the body that a GET would have had
  if (head.status == 101) response.upgrade = upgrade_of(head, arena);
  take_fields(head, response.fields, arena);
  return framing;
}

void write_request(const Request& request, const HeadForm& form, std::string& out) {
  out.append(request.method).append(" ");
  if (form.to_proxy) out.append(request.scheme).append("://").append(request.authority);
  if (!form.to_proxy || request.target != "*") out.append(request.target);  // RFC 9112, 3.2.4
  out.append(" ").append(form.protocol);
  out.append("\r\nHost: ").append(request.authority).append(kLineEnd);
  for (const wire::HeadField& field : request.fields) {
    // What a client has for a proxy of its own is not for ours.
    bool others = form.to_proxy && wire::equal_in_any_case(field.name, "Proxy-Authorization");
    if (!others) write_field(field, out);
  }
  if (!form.proxy_authorization.empty())
    out.append("Proxy-Authorization: ").append(form.proxy_authorization).append(kLineEnd);
  if (request.takes_trailers) out.append("TE: trailers\r\n");
  write_form(form, request.upgrade, out);
}

void write_response(const Response& response, const HeadForm& form, std::string& out) {
  char status[8];
  auto end = fmt::format_to(status, " {} ", response.status);
  out.append(form.protocol).append(status, end).append(response.reason).append(kLineEnd);
  for (const wire::HeadField& field : response.fields) write_field(field, out);
  write_form(form, response.upgrade, out);
}

std::string last_chunk(const Fields::List& trailers) {
  std::string out = "0\r\n";
  for (const wire::HeadField& field : trailers) write_field(field, out);
  return out.append(kLineEnd);
}

std::string_view reason_of(int status) {
  struct Reason {
    int status;
    std::string_view words;
  };
  static constexpr Reason kReasons[] = {{100, "Continue"},
                                        {101, "Switching Protocols"},
                                        {103, "Early Hints"},
                                        {200, "OK"},
                                        {204, "No Content"},
                                        {206, "Partial Content"},
                                        {301, "Moved Permanently"},
                                        {302, "Found"},
                                        {303, "See Other"},
                                        {304, "Not Modified"},
                                        {307, "Temporary Redirect"},
                                        {308, "Permanent Redirect"},
                                        {400, "Bad Request"},
                                        {401, "Unauthorized"},
                                        {403, "Forbidden"},
                                        {404, "Not Found"},
                                        {405, "Method Not Allowed"},
                                        {408, "Request Timeout"},
                                        {410, "Gone"},
                                        {411, "Length Required"},
                                        {413, "Content Too Large"},
                                        {414, "URI Too Long"},
                                        {415, "Unsupported Media Type"},
                                        {416, "Range Not Satisfiable"},
                                        {421, "Misdirected Request"},
                                        {429, "Too Many Requests"},
                                        {431, "Request Header Fields Too Large"},
                                        {500, "Internal Server Error"},
                                        {501, "Not Implemented"},
                                        {502, "Bad Gateway"},
                                        {503, "Service Unavailable"},
                                        {504, "Gateway Timeout"},
                                        {505, "HTTP Version Not Supported"},
                                        {508, "Loop Detected"}};
  auto found = std::ranges::find(kReasons, status, &Reason::status);
  return found == std::end(kReasons) ? std::string_view() : found->words;
}

}  // namespace lockgate::http
