// Any bytes, read as the head of a request or of a response: where its framing is told, it is told in one way
// only; and the head written again, with that framing in the one plain form it has, is framed the same.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "wire/http_framing.h"

namespace lockgate::wire {
namespace {

using Body = Framing::Body;

bool is_of_framing(const HeadField& field) {
  return field.id == FieldName::content_length || field.id == FieldName::transfer_encoding;
}

/// The fields in plain form, and the empty line.
std::string fields_of(const MessageHead& head, const Framing& framing) {
  std::string text;
  for (const auto& field : head.fields) {
    if (!is_of_framing(field)) text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (framing.body == Body::sized)
    text.append("Content-Length: ").append(std::to_string(framing.length)).append("\r\n");
  if (framing.body == Body::chunked) text.append("Transfer-Encoding: chunked\r\n");
  return text.append("\r\n");
}

void check_refusal(const Error& error, std::initializer_list<int> statuses) {
  CHECK(error.code == Errc::bad_message && error.detail.kind == DetailKind::http_status);
  CHECK(std::ranges::find(statuses, error.detail.number) != statuses.end());
}

/// As far as the fields themselves tell.
void check_told(const MessageHead& head, const Framing& framing) {
  auto lengths = head.count(FieldName::content_length), codings = head.count(FieldName::transfer_encoding);
  CHECK(framing.length == 0 || framing.body == Body::sized);
  CHECK(lengths == (framing.body == Body::sized ? 1 : 0));
  CHECK(codings == (framing.body == Body::chunked ? 1 : 0));
  CHECK(framing.body != Body::chunked || head.minor_version > 0);
}

void check_options(const MessageHead& head) {
  ConnectionOptions options = connection_options(head);
  CHECK(options.close == is_named_by_connection(head, "Close"));
  CHECK(options.keep_alive == is_named_by_connection(head, "keep-alive"));
  CHECK(options.upgrade == is_named_by_connection(head, "UPGRADE"));
  CHECK(!options.close || !persists(head));
  for (const auto& field : head.fields) {
    if (field.id != FieldName::connection) continue;
    for_each_member(field.value, [&](std::string_view member) {
      CHECK(!member.empty() && is_named_by_connection(head, member));
      return true;
    });
  }
}

void check_request(Bytes seen) {
  auto head = parse_request_head(seen);
  if (!head || !*head) return;
  check_options(**head);
  auto framing = framing_of(**head);
  if (!framing) return check_refusal(framing.error(), {400, 501});
  CHECK(framing->body != Body::until_close);
  check_told(**head, *framing);
  std::string text((*head)->method);
  text.append(" ").append((*head)->target).append(" HTTP/1.").append(std::to_string((*head)->minor_version));
  text.append("\r\n").append(fields_of(**head, *framing));
  auto again = parse_request_head(as_bytes(text), {.bytes = SIZE_MAX});
  CHECK(again && *again && framing_of(**again) == *framing);
}

void check_response(Bytes seen) {
  auto head = parse_response_head(seen);
  if (!head || !*head) return;
  for (std::string_view method : {"GET", "HEAD", "CONNECT"}) {
    auto framing = framing_of(**head, method);
    if (!framing) {
      check_refusal(framing.error(), {502});
      continue;
    }
    bool bodiless = method == "HEAD" || (*head)->status < 200 || (*head)->status == 204 ||
                    (*head)->status == 304 || (method == "CONNECT" && (*head)->status < 300);
    CHECK((framing->body == Body::none) == bodiless);
    if (!bodiless) check_told(**head, *framing);
    std::string text = "HTTP/1." + std::to_string((*head)->minor_version) + " ";
    text.append(std::to_string((*head)->status)).append("\r\n").append(fields_of(**head, *framing));
    auto again = parse_response_head(as_bytes(text), {.bytes = SIZE_MAX});
    CHECK(again && *again && framing_of(**again, method) == *framing);
  }
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  Bytes seen(reinterpret_cast<const std::byte*>(bytes), size);
  wire::check_request(seen);
  wire::check_response(seen);
  return 0;
}
