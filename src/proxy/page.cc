#include "proxy/page.h"

#include <fmt/format.h>

#include "http/head1.h"
#include "wire/http_date.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

/// Made once a second.
std::string_view date(WallTime now) {
  constexpr WallTime kSecond = 1'000'000'000;
  thread_local wire::HttpDate last(now);
  thread_local WallTime second = now / kSecond;
  if (now / kSecond != second) last = wire::HttpDate(now);
  second = now / kSecond;
  return last.text();
}

}  // namespace

int status_of(const Error& error) {
  if (error.detail.kind == DetailKind::http_status && error.side == Side::client) return error.detail.number;
  bool of_client = error.side == Side::client;
  switch (error.code) {
    case Errc::timed_out:
      return of_client ? 408 : 504;
    case Errc::bad_message:
      return of_client ? 400 : 502;
    case Errc::too_large:
      return of_client ? 413 : 502;
    case Errc::no_site:
      return 421;
    case Errc::rejected:
    case Errc::banned:
      return 403;
    case Errc::limited:
    case Errc::no_endpoint:
    case Errc::no_resources:
    case Errc::shutting_down:
      return 503;
    case Errc::loops:
      return 508;
    default:
      return 502;
  }
}

Error refusal(Errc code, int status, const char* doing) {
  return {.code = code,
          .side = Side::client,
          .detail = {DetailKind::http_status, static_cast<std::int16_t>(status)},
          .doing = doing};
}

http::Response& begin_error(http::Exchange& exchange, int status, std::string_view type,
                            std::span<const wire::HeadField> owed) {
  http::Response& answer = exchange.memory().response;
  answer.clear();
  answer.status = status;
  answer.fields.add(http::FieldName::content_type, type);
  answer.fields.add("Cache-Control", "no-store", http::FieldName::other);
  for (const wire::HeadField& field : owed) answer.fields.list().push_back(field);
  return answer;
}

void finish_head(http::Exchange& exchange, http::Response& answer, WallTime now) {
  answer.reason = http::reason_of(answer.status);
  answer.fields.add(http::FieldName::date, exchange.arena().copy(date(now)));
}

Task<void> answer_with_text(http::Exchange& exchange, http::Response& answer, std::string_view text,
                            WallTime now) {
  finish_head(exchange, answer, now);
  bool bodyless = answer.status == 204 || answer.status == 304;
  answer.has_body = !bodyless && exchange.request().method != "HEAD";
  if (!bodyless) answer.length = text.size();
  auto responding = exchange.respond(answer, {.bytes = as_bytes(text), .last = true});
  co_await responding;
}

Task<void> answer_with_page(http::Exchange& exchange, int status, std::string_view sentence,
                            std::string_view id, WallTime now, std::span<const wire::HeadField> owed) {
  Arena& arena = exchange.arena();
  char digits[8];
  auto end = fmt::format_to(digits, "{} ", status);
  std::string_view number(digits, end), reason = http::reason_of(status);
  std::string_view text =
      sentence.empty() ? arena.join(number, reason, "\n") : arena.join(number, reason, "\n", sentence, "\n");
  if (!id.empty()) text = arena.join(text, "Request ", id, ".\n");
  http::Response& answer = begin_error(exchange, status, "text/plain; charset=utf-8", owed);
  auto answering = answer_with_text(exchange, answer, text, now);
  co_await answering;
}

}  // namespace lockgate::proxy
