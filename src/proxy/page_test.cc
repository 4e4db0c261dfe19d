#include "proxy/page.h"

#include <gtest/gtest.h>

#include "http/head1.h"

namespace lockgate::proxy {
namespace {

/// Keeps the answer that it is given.
class MadeExchange final : public http::Exchange {
 public:
  http::Memory& memory() override { return memory_; }
  loop::Task<http::Piece> read() override { co_return http::Piece{.last = true}; }
  Result<std::optional<http::Piece>> read_now() override { return std::optional<http::Piece>(); }
  const http::Fields::List& trailers() const override { return trailers_; }
  loop::Task<void> say_continue() override { co_return; }
  loop::Task<void> inform(const http::Response&) override { co_return; }
  loop::Task<void> respond(const http::Response& answer, http::Piece first) override {
    answered = true;
    has_body = answer.has_body;
    http::write_response(answer,
                         {.body = answer.length ? http::BodyForm::sized : http::BodyForm::none,
                          .length = answer.length.value_or(0)},
                         text);
    if (answer.has_body) text += as_text(first.bytes);
    EXPECT_TRUE(first.last);
    co_return;
  }
  loop::Task<void> write(http::Piece) override { co_return; }
  void add_trailers(const http::Fields::List&) override {}
  void switch_to(net::AnyStream, Bytes, Duration) override {}
  bool responded() const override { return answered; }
  std::uint64_t bytes_sent() const override { return 0; }
  std::uint64_t bytes_received() const override { return 0; }
  Error why_broken_off() const override { return {}; }
  void close_afterwards() override {}
  void leave_body() override {}

  bool answered = false, has_body = false;
  std::string text;

 private:
  http::Memory memory_;
  http::Fields::List trailers_;
};

constexpr WallTime kNow = WallTime{784111777} * 1'000'000'000;
const std::string kDate = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

std::string page_for(std::string_view method, int status, std::string_view sentence, std::string_view id) {
  MadeExchange exchange;
  exchange.request().method = method;
  auto answering = answer_with_page(exchange, status, sentence, id, kNow);
  answering.start();
  EXPECT_TRUE(answering.finished());
  return exchange.text;
}

const std::string kFields = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n" + kDate;

TEST(Page, NamesTheStatusTheReasonAndTheRequest) {
  EXPECT_EQ(page_for("GET", 502, "", "1-1"), "HTTP/1.1 502 Bad Gateway\r\n" + kFields +
                                                 "Content-Length: 29\r\n\r\n502 Bad Gateway\nRequest 1-1.\n");
  EXPECT_EQ(
      page_for("GET", 404, "Nothing is here.", ""),
      "HTTP/1.1 404 Not Found\r\n" + kFields + "Content-Length: 31\r\n\r\n404 Not Found\nNothing is here.\n");
}

TEST(Page, HasOnlyItsHeadForHead) {
  EXPECT_EQ(page_for("HEAD", 502, "", "1-1"),
            "HTTP/1.1 502 Bad Gateway\r\n" + kFields + "Content-Length: 29\r\n\r\n");
}

TEST(Page, HasNoBodyWhereTheStatusAllowsNone) {
  for (int status : {204, 304}) {
    MadeExchange exchange;
    exchange.request().method = "GET";
    http::Response answer;
    answer.status = status;
    auto answering = answer_with_text(exchange, answer, "text", kNow);
    answering.start();
    EXPECT_FALSE(exchange.has_body);
    EXPECT_FALSE(exchange.text.contains("Content-Length"));
  }
}

TEST(Page, ToldTheStatusOfAnError) {
  auto status = [](Errc code, Side side) { return status_of({.code = code, .side = side}); };
  EXPECT_EQ(status(Errc::timed_out, Side::client), 408);
  EXPECT_EQ(status(Errc::timed_out, Side::upstream), 504);
  EXPECT_EQ(status(Errc::bad_message, Side::client), 400);
  EXPECT_EQ(status(Errc::bad_message, Side::upstream), 502);
  EXPECT_EQ(status(Errc::too_large, Side::client), 413);
  EXPECT_EQ(status(Errc::too_large, Side::upstream), 502);
  EXPECT_EQ(status(Errc::no_site, Side::client), 421);
  EXPECT_EQ(status(Errc::no_endpoint, Side::upstream), 503);
  EXPECT_EQ(status(Errc::shutting_down, Side::here), 503);
  EXPECT_EQ(status(Errc::refused, Side::upstream), 502);
  EXPECT_EQ(status(Errc::loops, Side::client), 508);
  EXPECT_EQ(
      status_of({.code = Errc::bad_message, .side = Side::client, .detail = {DetailKind::http_status, 431}}),
      431);
  // What a parent or an upstream was told is nothing that the client is told.
  EXPECT_EQ(
      status_of(
          {.code = Errc::bad_message, .side = Side::upstream, .detail = {DetailKind::http_status, 407}}),
      502);
}

}  // namespace
}  // namespace lockgate::proxy
