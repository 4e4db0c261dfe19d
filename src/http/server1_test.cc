#include "http/server1.h"

#include <gtest/gtest.h>

#include "http/client1.h"
#include "http/made_stream.h"

namespace lockgate::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// Answers "hello", at once or once it is told to.
class MadeService final : public Service {
 public:
  explicit MadeService(loop::Reactor& reactor) : reactor_(reactor) {}

  loop::Task<void> serve(Exchange& exchange) override {
    targets.emplace_back(exchange.request().target);
    ++inside;
    Leaving leaving{*this, exchange};
    while (waits) {
      loop::Wait wait(reactor_, go, kNever);
      co_await wait;
    }
    while (reads) {
      auto reading = exchange.read();
      Piece piece = co_await reading;
      body += as_text(piece.bytes);
      if (piece.last) break;
    }
    Response& answer = exchange.memory().response;
    answer.clear();
    answer.status = 200;
    answer.has_body = true;
    auto answering = exchange.respond(answer, {.bytes = as_bytes("hello"), .last = true});
    co_await answering;
  }
  loop::Task<void> refuse(Exchange& exchange, const Error& why) override {
    refused = why;
    Response& answer = exchange.memory().response;
    answer.clear();
    answer.status = why.detail.number;
    answer.length = 0;
    if (why.detail.kind != DetailKind::http_status) co_await loop::fail(why);
    auto answering = exchange.respond(answer, {.bytes = {}, .last = true});
    co_await answering;
  }

  bool waits = false, reads = false;
  int inside = 0;
  loop::WaitSlot go;
  std::vector<std::string> targets;
  std::string body;
  std::optional<Error> refused, broken_off;

 private:
  struct Leaving {
    MadeService& service;
    Exchange& exchange;
    ~Leaving() {
      --service.inside;
      if (!exchange.responded()) service.broken_off = exchange.why_broken_off();
    }
  };
  loop::Reactor& reactor_;
};

class Serving : public testing::Test, private Server1Owner {
 protected:
  Serving() {
    options_ = {.head_timeout = 5s, .keepalive = 10s, .body_timeout = 6s};
    come_anew();
  }
  void come_anew() {
    over_ = false;
    auto stream = std::make_unique<MadeStream>(reactor_);
    stream_ = stream.get();
    Server1Owner& owner = *this;
    server_.emplace(std::move(stream), desk_, service_, options_, "http", owner);
  }
  void begin(std::string_view seen = "") {
    server_->begin(as_bytes(seen));
    turn();
  }
  void say(std::string_view text) {
    stream_->come(text);
    turn();
  }
  void pass(Duration time) {
    clock_.advance(time);
    turn();
  }
  void turn() {
    for (int i = 0; i < 20; ++i) reactor_.turn(0ns);
  }
  static std::string get(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  Desk desk_{buffers_};
  MadeService service_{reactor_};
  config::HttpServer options_;
  MadeStream* stream_ = nullptr;
  std::optional<Server1> server_;
  bool over_ = false;
  std::optional<Error> why_;

  const std::string answer_ = "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello",
                    last_answer_ = "HTTP/1.1 200 \r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

 private:
  void server_ended(const std::optional<Error>& why) override {
    EXPECT_FALSE(over_);
    over_ = true;
    why_ = why;
  }
};

TEST_F(Serving, AnswersWhatSetUpHasRead) {
  begin(get("/a"));
  EXPECT_EQ(stream_->out, answer_);
  EXPECT_FALSE(over_);
  EXPECT_TRUE(server_->is_idle());
}

TEST_F(Serving, AnswersOneRequestAfterTheOther) {
  begin();
  say(get("/a") + get("/b") + get("/c").substr(0, 5));
  say(get("/c").substr(5));
  EXPECT_EQ(stream_->out, answer_ + answer_ + answer_);
  EXPECT_EQ(service_.targets, (std::vector<std::string>{"/a", "/b", "/c"}));
}

TEST_F(Serving, ClosesAfterAWhileOfSilence) {
  begin();
  pass(9s);
  say(get("/a"));
  pass(9s);
  EXPECT_FALSE(over_);
  pass(2s);
  EXPECT_TRUE(over_);
  EXPECT_FALSE(why_);
  EXPECT_TRUE(stream_->finished);
  EXPECT_EQ(stream_->out, answer_);
}

TEST_F(Serving, SaysNothingToWhomHasAskedForNothing) {
  for (bool broken : {false, true}) {
    come_anew();
    begin();
    broken ? stream_->break_off() : stream_->come_to_end();
    turn();
    EXPECT_TRUE(over_);
    EXPECT_EQ(why_.has_value(), broken);
    EXPECT_EQ(stream_->out, "");
    EXPECT_FALSE(service_.refused);
  }
}

TEST_F(Serving, RefusesAHeadThatComesTooSlowly) {
  begin();
  say("GET / HT");
  pass(6s);
  EXPECT_EQ(stream_->out, "HTTP/1.1 408 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(service_.refused->detail.number, 408);
  stream_->come_to_end();
  turn();
  EXPECT_TRUE(over_);
}

TEST_F(Serving, ClosesBehindTheLastRequestThatItMayAnswer) {
  options_.keepalive_requests = 2;
  begin(get("/a") + get("/b") + get("/c"));
  EXPECT_EQ(stream_->out, answer_ + last_answer_);
  stream_->come_to_end();
  turn();
  EXPECT_TRUE(over_);
  EXPECT_EQ(service_.targets.size(), 2u);
}

TEST_F(Serving, ClosesSoonWhenIdle) {
  begin(get("/a"));
  server_->close_soon();
  turn();
  EXPECT_TRUE(over_);
  EXPECT_FALSE(why_);
}

TEST_F(Serving, ClosesSoonBehindTheRequestUnderWay) {
  service_.waits = true;
  begin(get("/a"));
  server_->close_soon();
  turn();
  EXPECT_FALSE(over_);
  service_.waits = false;
  service_.go.wake_all();
  turn();
  EXPECT_TRUE(over_);
  EXPECT_EQ(stream_->out, last_answer_);
}

TEST_F(Serving, CanBeCutAtAnyTime) {
  service_.waits = true;
  begin(get("/a"));
  server_->cut({.code = Errc::shutting_down, .doing = "draining"});
  EXPECT_EQ(service_.inside, 0);
  EXPECT_EQ(service_.broken_off->code, Errc::shutting_down);
  turn();
  EXPECT_TRUE(over_);
  EXPECT_EQ(why_->code, Errc::shutting_down);
  EXPECT_TRUE(stream_->aborted);
}

TEST_F(Serving, BreaksOffWhenTheClientLeaves) {
  for (bool broken : {false, true}) {
    service_.waits = true;
    come_anew();
    begin(get("/a"));
    say(get("/b"));
    EXPECT_EQ(service_.inside, 1);
    broken ? stream_->break_off() : stream_->come_to_end();
    turn();
    EXPECT_EQ(service_.inside, 0);
    EXPECT_EQ(service_.broken_off->side, Side::client);
    EXPECT_EQ(service_.broken_off->code, broken ? Errc::reset : Errc::closed);
    EXPECT_TRUE(over_);
    EXPECT_EQ(stream_->out, "");
  }
}

TEST_F(Serving, ReadsWhatNobodyWantedIfItIsThere) {
  begin("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345" + get("/b"));
  EXPECT_EQ(stream_->out, answer_ + answer_);
  EXPECT_EQ(service_.targets, (std::vector<std::string>{"/a", "/b"}));
}

TEST_F(Serving, ClosesIfWhatNobodyWantedIsNotThere) {
  begin("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123");
  EXPECT_EQ(stream_->out, answer_);
  EXPECT_TRUE(stream_->finished);
  say("45" + get("/b"));
  EXPECT_FALSE(over_);
  pass(3s);
  EXPECT_TRUE(over_);
  EXPECT_EQ(service_.targets.size(), 1u);
}

TEST_F(Serving, TellsTheClientToGoOnOnlyIfItIsRead) {
  std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  service_.reads = true;
  begin(head);
  EXPECT_EQ(stream_->out, "HTTP/1.1 100 Continue\r\n\r\n");
  say("12345");
  EXPECT_EQ(stream_->out, "HTTP/1.1 100 Continue\r\n\r\n" + answer_);
  EXPECT_EQ(service_.body, "12345");
  stream_->out.clear();
  service_.reads = false;
  say(head);
  EXPECT_EQ(stream_->out, last_answer_);  // for the body may come, or not
}

/// A call over a made stream.
class Calling : public testing::Test {
 protected:
  Calling() {
    auto stream = std::make_unique<MadeStream>(reactor_);
    stream_ = stream.get();
    client_.emplace(std::move(stream), desk_, Bytes());
    client_->begin({});
    request_.method = "GET";
    request_.target = "/";
    request_.authority = "a";
  }
  void send() {
    auto sending = client_->send(request_, {.bytes = {}, .last = true}, 5s);
    sending.start();
    EXPECT_TRUE(sending.finished());
    EXPECT_TRUE(sending.outcome());
  }
  Result<int> receive(std::string_view text, bool ends = false) {
    auto receiving = client_->receive(answer_, arena_, clock_.now() + 5s);
    receiving.start();
    if (!text.empty()) stream_->come(text);
    if (ends) stream_->come_to_end();
    for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
    if (!receiving.finished()) clock_.advance(6s);
    for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
    auto received = receiving.outcome();
    if (!received) return std::unexpected(received.error());
    return answer_.status;
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  Desk desk_{buffers_};
  MadeStream* stream_ = nullptr;
  std::optional<Client1> client_;
  Request request_;
  Response answer_;
  Arena arena_;
};

TEST_F(Calling, CanBeDoneAgainOverTheSameConnection) {
  for (int call = 0; call < 3; ++call) {
    client_->begin({});
    send();
    EXPECT_FALSE(client_->is_reusable());
    EXPECT_EQ(receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), 200);
    EXPECT_FALSE(client_->is_reusable());
    auto piece = client_->read_now();
    ASSERT_TRUE(piece && *piece);
    EXPECT_EQ(as_text((*piece)->bytes), "hello");
    EXPECT_TRUE((*piece)->last);
    EXPECT_TRUE(client_->is_reusable());
  }
  EXPECT_EQ(stream_->out.size(), 3 * "GET / HTTP/1.1\r\nHost: a\r\n\r\n"s.size());
}

TEST_F(Calling, IsTheLastOneIfTheAnswerSaysSoOrMoreComes) {
  for (std::string answer : {"HTTP/1.1 204 No\r\nConnection: close\r\n\r\n", "HTTP/1.0 204 No\r\n\r\n",
                             "HTTP/1.1 204 No\r\n\r\nHTTP/1.1"}) {
    stream_ = new MadeStream(reactor_);
    client_.emplace(net::AnyStream(stream_), desk_, Bytes());
    client_->begin({});
    send();
    EXPECT_EQ(receive(answer), 204);
    EXPECT_FALSE(client_->is_reusable()) << answer;
  }
}

TEST_F(Calling, IsTheLastOneAsLongAsTheRequestHasNotGone) {
  request_.method = "POST";
  request_.has_body = true;
  request_.length = 5;
  auto sending = client_->send(request_, {.bytes = {}, .last = false}, 5s);
  sending.start();
  stream_->take(2);
  auto writing = client_->write({.bytes = as_bytes("hello"), .last = true}, 5s);
  writing.start();
  EXPECT_FALSE(writing.finished());
  EXPECT_EQ(receive("HTTP/1.1 204 No\r\n\r\n"), 204);
  EXPECT_FALSE(client_->is_reusable());
  stream_->take(3);
  for (int i = 0; i < 3; ++i) reactor_.turn(0ns);
  EXPECT_TRUE(client_->is_reusable());
}

TEST_F(Calling, MayBeTriedAgainUntilAByteHasCome) {
  send();
  auto nothing = receive("", true);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Errc::closed);
  EXPECT_EQ(nothing.error().side, Side::upstream);
  EXPECT_TRUE(nothing.error().retryable);
}

TEST_F(Calling, MayNotBeTriedAgainOnceAByteHasCome) {
  send();
  auto half = receive("HTTP/1.1 2", true);
  ASSERT_FALSE(half);
  EXPECT_FALSE(half.error().retryable);
}

TEST_F(Calling, HearsInterimAnswersAndThenTheFinalOne) {
  send();
  EXPECT_EQ(receive("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 2"), 103);
  EXPECT_EQ(receive("").error().code, Errc::timed_out);
  EXPECT_EQ(receive("04 No\r\n\r\n"), 204);
  EXPECT_TRUE(client_->is_reusable());
}

TEST_F(Calling, GivesTheConnectionAwayWithWhatWasSaidOnIt) {
  request_.upgrade = "websocket";
  send();
  EXPECT_EQ(receive("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nearly"), 101);
  EXPECT_EQ(answer_.upgrade, "websocket");
  std::vector<std::byte> early;
  auto stream = client_->take_stream(early);
  EXPECT_EQ(stream.get(), stream_);
  EXPECT_EQ(as_text(early), "early");
}

}  // namespace
}  // namespace lockgate::http
