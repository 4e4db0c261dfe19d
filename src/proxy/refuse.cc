#include "proxy/refuse.h"

#include <fmt/core.h>

#include <array>

#include "http/head1.h"
#include "wire/http_head.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

constexpr Duration kLastWords = std::chrono::seconds(2);
constexpr Duration kSilence = std::chrono::seconds(3);
constexpr std::size_t kUnreadMost = 256 * 1024;

// What each error code is to a TLS client (RFC 8446, 6.2) and to an HTTP one (RFC 9110, 15).
struct Answer {
  std::uint8_t alert;
  int status;
  std::string_view reason;
};
constexpr Answer kInternal{80, 502, "Bad Gateway"};

Answer answer_to(const Error& why) {
  switch (why.code) {
    case Errc::bad_message:
      return {50, 400, "Bad Request"};
    case Errc::too_large:
      return {50, 431, "Request Header Fields Too Large"};
    case Errc::timed_out:
      return {80, 504, "Gateway Timeout"};
    case Errc::no_site:
      return {112, 421, "Misdirected Request"};
    case Errc::rejected:
      return {112, 403, "Forbidden"};
    case Errc::limited:
    case Errc::no_resources:
    case Errc::shutting_down:
      return {80, 503, "Service Unavailable"};
    default:
      return kInternal;
  }
}

std::string page(const Facts& facts, Answer answer, const Error& why) {
  if (why.side == Side::client && why.detail.kind == DetailKind::http_status) {
    answer.status = why.detail.number;
    answer.reason = http::reason_of(answer.status);
  }
  bool no_plain = why.code == Errc::no_site;  // plain HTTP came to a port that takes none under this name
  std::string_view sentence =
      no_plain ? "No site here takes plain HTTP under this name; it may take https." : answer.reason;
  std::string body =
      fmt::format("{} {}\n{}\nConnection {:x}.\n", answer.status, answer.reason, sentence, facts.id);
  std::string size = fmt::format("{}", body.size());
  const std::array<wire::HeadField, 3> fields = {
      {{"Content-Type", "text/plain"}, {"Content-Length", size}, {"Connection", "close"}}};
  return wire::write_response_head(answer.status, answer.reason, fields) + body;
}

std::string last_words(const Facts& facts, const Error& why) {
  Answer answer = answer_to(why);
  switch (facts.dialect) {
    case Dialect::tls:  // a fatal alert in a record of its own (RFC 8446, 6)
      return {'\x15', '\x03', '\x03', '\x00', '\x02', '\x02', static_cast<char>(answer.alert)};
    case Dialect::http:
      return page(facts, answer, why);
    default:
      return "";
  }
}

// A socket that is closed with bytes unread sends a reset, which would overtake the words.
Task<void> say_and_part(net::Stream& client, net::Buffers& buffers, std::string words) {
  Instant deadline = client.reactor().now() + kLastWords;
  auto writing = net::write(client, as_bytes(words), deadline);
  co_await writing;
  auto finishing = net::finish(client, deadline);
  co_await finishing;
  auto discarding = net::discard(client, buffers.scratch(), kUnreadMost, deadline);
  co_await discarding;
}

}  // namespace

Task<void> refuse(net::Stream& client, net::Buffers& buffers, const Facts& facts, const Error& why,
                  config::RejectWith how) {
  switch (how) {
    case config::RejectWith::alert: {
      auto words = last_words(facts, why);
      if (words.empty()) co_return;
      auto parting = say_and_part(client, buffers, std::move(words));
      co_await loop::attempt(std::move(parting));
      co_return;
    }
    case config::RejectWith::silence: {
      Instant deadline = client.reactor().now() + kSilence;
      auto waiting = net::discard(client, buffers.scratch(), kUnreadMost, deadline);
      co_await loop::attempt(std::move(waiting));
      co_return;
    }
    case config::RejectWith::reset:
      client.abort();
  }
}

Task<void> part(net::Stream& client, net::Buffers& buffers) {
  auto parting = say_and_part(client, buffers, "");
  co_await loop::attempt(std::move(parting));
}

}  // namespace lockgate::proxy
