#include "server/http_server.h"

#include "server/test_caller.h"

namespace lockgate::server {
namespace {

using loop::Task;
using namespace std::chrono_literals;

// Tells the request it was asked for.
class Echo final : public Pages {
 public:
  Task<Page> page(const Visit& visit) override {
    ++asked;
    if (visit.path == "/missing") co_return not_found();
    if (visit.path == "/large") co_return Page{.body = std::string(32 << 20, 'x')};
    if (visit.path == "/broken") co_await loop::fail(Errc::timed_out, "asking the workers");
    co_return Page{.body = visit.host + " " + std::string(visit.path)};
  }
  int asked = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { start({}); }
  void start(const HttpLimits& limits) {
    server.emplace(reactor, pages, limits);
    Fd fd = listen_on_loopback();
    address = net::local_address(fd.number());
    server->open(std::move(fd));
  }
  Caller call() { return Caller(reactor, address); }
  std::string exchange(std::string_view request) {
    Caller caller = call();
    caller.send(request);
    return caller.receive_all();
  }
  /// Lets that much time pass.
  void wait(Duration duration) {
    clock.advance(duration);
    turn_some(reactor);
  }
  bool all_gone() {
    return turn_until(reactor, [&] { return server->connections() == 0; });
  }

  ManualClock clock;
  loop::Reactor reactor{clock};
  Echo pages;
  std::optional<HttpServer> server;
  SocketAddress address;
};

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kLast = "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(HttpServerTest, SendsThePageWithItsLengthAndDate) {
  auto responses =
      responses_in(exchange("GET /path?query HTTP/1.1\r\nHost: X.example:80\r\nConnection: close\r\n\r\n"));
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].status, 200);
  EXPECT_EQ(responses[0].body, "x.example /path");
  EXPECT_EQ(responses[0].fields.at("Content-Length"), "15");
  EXPECT_EQ(responses[0].fields.at("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(responses[0].fields.at("Connection"), "close");
}

TEST_F(HttpServerTest, LeavesOutTheBodyForHead) {
  std::string sent = exchange("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(sent.ends_with("\r\n\r\n"));
  EXPECT_EQ(responses_in(sent, false)[0].fields.at("Content-Length"), "4");
}

TEST_F(HttpServerTest, UnderstandsAnAbsoluteTarget) {
  auto responses =
      responses_in(exchange("GET http://other?q=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(responses[0].body, "other /");
}

TEST_F(HttpServerTest, KeepsTheConnectionForTheNextRequest) {
  Caller caller = call();
  for (int i = 0; i < 3; ++i) {
    caller.send(kGet);
    EXPECT_FALSE(caller.receive_until("x /a").contains("Connection"));
  }
  caller.send(kLast);
  caller.receive_until("x /last");
  EXPECT_EQ(caller.receive_all(), "");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  Caller caller = call();
  caller.send(requests);
  std::string received;
  for (int i = 0; i < 100; ++i) {
    received += caller.receive_until("\r\n\r\nx /" + std::to_string(i));
    wait(1ms);
  }
  auto responses = responses_in(received);
  ASSERT_EQ(responses.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(responses[i].body, "x /" + std::to_string(i));
}

TEST_F(HttpServerTest, LetsOthersThroughBetweenPipelinedRequests) {
  Caller greedy = call(), modest = call();
  greedy.send(std::string(kGet) + std::string(kGet) + std::string(kGet));
  modest.send(kLast);
  modest.receive_until("x /last");
  EXPECT_LT(pages.asked, 4);  // no time has passed, so the greedy one's next turn has not come
}

TEST_F(HttpServerTest, ReadsAHeadByteByByte) {
  Caller caller = call();
  for (char c : kLast) caller.send({&c, 1});
  EXPECT_TRUE(caller.receive_all().ends_with("x /last"));
}

TEST_F(HttpServerTest, ClosesWhenTheClientWantsOrCannotKeep) {
  for (std::string_view request :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nconnection: CLOSE\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: TE\r\nConnection: a , close,b\r\n\r\n"}) {
    EXPECT_EQ(responses_in(exchange(request)).at(0).status, 200) << request;
  }
}

TEST_F(HttpServerTest, RefusesOtherMethods) {
  auto responses = responses_in(exchange("DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(responses[0].status, 405);
  EXPECT_EQ(responses[0].fields.at("Allow"), "GET, HEAD");
  EXPECT_EQ(pages.asked, 0);
}

TEST_F(HttpServerTest, NeverTakesABodyForARequest) {
  std::string inner(kGet);
  std::string size = std::to_string(inner.size());
  for (const std::string& request :
       {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n" + inner,
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " + size + "\r\n\r\n" + inner,
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n" + inner,
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner}) {
    Caller caller = call();
    caller.send(request);
    auto responses = responses_in(caller.receive_all());
    ASSERT_EQ(responses.size(), 1u) << request;
    EXPECT_EQ(responses[0].fields.at("Connection"), "close");
    EXPECT_FALSE(caller.reset());
  }
}

TEST_F(HttpServerTest, AnswersGarbageWith400AndCloses) {
  using namespace std::string_view_literals;
  for (std::string_view garbage :
       {"hello\r\n\r\n"sv, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"sv, "GET  / HTTP/1.1\r\n\r\n"sv,
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n"sv, "GET / HTTP/1.1\nHost: x\n\n"sv, "\0\0\0\0"sv,
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n"sv}) {
    auto responses = responses_in(exchange(garbage));
    ASSERT_EQ(responses.size(), 1u);
    EXPECT_EQ(responses[0].status, 400);
  }
  EXPECT_EQ(pages.asked, 0);
}

TEST_F(HttpServerTest, Answers400WithoutAGoodHost) {
  for (std::string_view fields : {"", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host:\r\n"}) {
    auto request = "GET / HTTP/1.1\r\nConnection: close\r\n" + std::string(fields) + "\r\n";
    EXPECT_EQ(responses_in(exchange(request)).at(0).status, 400) << request;
  }
}

TEST_F(HttpServerTest, RefusesAHugeHeadSoThatItIsSeen) {
  std::string endless = "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(100'000, 'a');
  Caller caller = call();
  caller.send(endless);
  EXPECT_EQ(responses_in(caller.receive_all()).at(0).status, 431);
  EXPECT_FALSE(caller.reset());
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "a: b\r\n";
  EXPECT_EQ(responses_in(exchange(many)).at(0).status, 431);
}

TEST_F(HttpServerTest, TellsThatAHeadTookTooLong) {
  Caller caller = call();
  caller.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 5; ++i) {
    wait(900ms);
    caller.send("A: b\r\n");  // a drop now and then buys no time
  }
  EXPECT_EQ(server->connections(), 1u);
  wait(600ms);
  EXPECT_EQ(responses_in(caller.receive_all()).at(0).status, 408);
}

TEST_F(HttpServerTest, ClosesASilentConnectionWithoutAWord) {
  Caller caller = call();
  wait(5001ms);
  EXPECT_EQ(caller.receive_all(), "");
}

TEST_F(HttpServerTest, ClosesAnIdleConnection) {
  Caller caller = call();
  caller.send(kGet);
  caller.receive_until("x /a");
  wait(29s);
  EXPECT_EQ(server->connections(), 1u);
  wait(2s);
  EXPECT_EQ(caller.receive_all(), "");
}

TEST_F(HttpServerTest, GivesUpOnWhoDoesNotTakeTheAnswer) {
  Caller caller = call();
  caller.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  wait(29s);
  EXPECT_EQ(server->connections(), 1u);
  wait(2s);
  EXPECT_TRUE(all_gone());
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinished) {
  Caller caller = call();
  caller.send(kGet);
  caller.finish();
  EXPECT_TRUE(caller.receive_all().ends_with("x /a"));
  EXPECT_TRUE(all_gone());
}

TEST_F(HttpServerTest, ClosesWhenAHeadEndsInTheMiddle) {
  Caller caller = call();
  caller.send("GET / HT");
  caller.finish();
  EXPECT_EQ(caller.receive_all(), "");
  EXPECT_TRUE(all_gone());
}

TEST_F(HttpServerTest, DoesNotLingerForEver) {
  Caller caller = call();
  caller.send(kLast);
  caller.receive_until("x /last");
  EXPECT_EQ(server->connections(), 1u);
  wait(1001ms);
  EXPECT_TRUE(all_gone());
}

TEST_F(HttpServerTest, ClosesTheOldestConnectionForOneTooMany) {
  start({.connections = 2});
  {
    Caller first = call(), second = call();
    EXPECT_EQ(server->connections(), 2u);
    EXPECT_TRUE(exchange(kLast).ends_with("x /last"));
    EXPECT_EQ(first.receive_all(), "");
    second.send(kGet);
    second.receive_until("x /a");
  }
  EXPECT_TRUE(all_gone());
  EXPECT_TRUE(exchange(kLast).ends_with("x /last"));
}

TEST_F(HttpServerTest, TellsWhatKeptAPageFromBeingMade) {
  auto responses = responses_in(exchange("GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(responses[0].status, 500);
  EXPECT_EQ(responses[0].body, "asking the workers: timed_out\n");
}

TEST_F(HttpServerTest, EndsInTheMiddleOfEverything) {
  Caller idle = call(), reading = call(), writing = call(), lingering = call();
  reading.send("GET / HT");
  writing.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  lingering.send(kLast);
  lingering.receive_until("x /last");
  server.reset();
  EXPECT_EQ(idle.receive_all(), "");
}

}  // namespace
}  // namespace lockgate::server
