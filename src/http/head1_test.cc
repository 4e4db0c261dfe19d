#include "http/head1.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace lockgate::http {
namespace {

class Heads : public testing::Test {
 protected:
  /// The request as it would be sent on.
  std::string passed(const std::string& lines) {
    request_.clear();
    auto head = wire::parse_request_head(as_bytes(text_ = lines + "\r\n"));
    CHECK(head && *head);
    auto framing = take_request(**head, request_, arena_);
    if (!framing) return std::string(words(framing.error()));
    std::string out;
    HeadForm form{.length = framing->length};
    if (framing->body == wire::Framing::Body::sized) form.body = BodyForm::sized;
    if (framing->body == wire::Framing::Body::chunked) form.body = BodyForm::chunked;
    write_request(request_, form, out);
    return out.substr(0, out.size() - 2);
  }
  /// An answer to a request with `method` as it would be sent on, without its framing.
  std::string answered(const std::string& lines, std::string_view method = "GET") {
    response_.clear();
    auto head = wire::parse_response_head(as_bytes(text_ = lines + "\r\n"));
    CHECK(head && *head);
    framing_ = take_response(**head, method, response_, arena_);
    if (!framing_) return std::string(words(framing_.error()));
    std::string out;
    write_response(response_, {}, out);
    return out.substr(0, out.size() - 2);
  }

  std::string text_;
  Arena arena_;
  Request request_;
  Response response_;
  Result<wire::Framing> framing_;
};

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n";

TEST_F(Heads, PassesFieldsOnAsTheyCame) {
  EXPECT_EQ(passed(kGet + "Accept: */*\r\nX-Odd: \xff\r\nAccept: b\r\n"),
            kGet + "Accept: */*\r\nX-Odd: \xff\r\nAccept: b\r\n");
}

TEST_F(Heads, AProxyIsAskedInAbsoluteForm) {
  auto asked = [&](const std::string& lines) {
    passed(lines);
    request_.scheme = "http";
    std::string out;
    write_request(request_, {.to_proxy = true, .proxy_authorization = "Basic ours"}, out);
    return out;
  };
  EXPECT_EQ(asked("GET /x?y HTTP/1.1\r\nHost: a:81\r\nProxy-Authorization: theirs\r\nAccept: b\r\n"),
            "GET http://a:81/x?y HTTP/1.1\r\nHost: a:81\r\nAccept: b\r\n"
            "Proxy-Authorization: Basic ours\r\n\r\n");
  EXPECT_EQ(asked("OPTIONS * HTTP/1.1\r\nHost: a\r\n"),
            "OPTIONS http://a HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic ours\r\n\r\n");
}

TEST_F(Heads, EndsWhatConcernsOneConnection) {
  EXPECT_EQ(passed(kGet + "Connection: close\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: "
                          "gzip\r\nX-Stays: 1\r\n"),
            kGet + "X-Stays: 1\r\n");
  EXPECT_EQ(passed(kGet + "Connection: X-Hop, close\r\nX-Hop: 1\r\nx-hop: 2\r\nX-Stays: 1\r\n"),
            kGet + "X-Stays: 1\r\n");
  EXPECT_EQ(passed(kGet + "TE: trailers, deflate;q=0.5\r\n"), kGet + "TE: trailers\r\n");
}

TEST_F(Heads, AsksForOtherProtocolsButNotForTheDangerousOnes) {
  EXPECT_EQ(passed(kGet + "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            kGet + "Connection: upgrade\r\nUpgrade: websocket\r\n");
  EXPECT_EQ(passed(kGet + "Upgrade: websocket\r\n"), kGet);  // Connection does not name it
  for (std::string upgrade : {"h2c", "H2C", "websocket, h2c", "TLS/1.0", "HTTP/2.0", "h2"}) {
    EXPECT_EQ(passed(kGet + "Connection: Upgrade\r\nUpgrade: " + upgrade + "\r\n"), kGet) << upgrade;
  }
  EXPECT_EQ(passed(kGet + "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n"), kGet);
  EXPECT_EQ(passed("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), kGet);
  std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
  EXPECT_EQ(passed(post + "Connection: Upgrade\r\nUpgrade: websocket\r\n"), post);
}

TEST_F(Heads, TakesTheHostOfAnAbsoluteTarget) {
  EXPECT_EQ(passed("GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n"), "GET /x?y HTTP/1.1\r\nHost: b:81\r\n");
  EXPECT_EQ(request_.host, "b");
  EXPECT_EQ(passed("GET http://b HTTP/1.1\r\nHost: a\r\n"), "GET / HTTP/1.1\r\nHost: b\r\n");
  EXPECT_EQ(passed("GET http://b?y HTTP/1.1\r\nHost: a\r\n"), "GET /?y HTTP/1.1\r\nHost: b\r\n");
  EXPECT_EQ(passed("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n"), "OPTIONS * HTTP/1.1\r\nHost: b\r\n");
}

TEST_F(Heads, WaitsForContinueOnlyWhereThereIsABody) {
  passed(kGet + "Expect: 100-continue\r\n");
  EXPECT_FALSE(request_.wants_continue);
  passed("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n");
  EXPECT_TRUE(request_.wants_continue);
  passed("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n");
  EXPECT_FALSE(request_.wants_continue);
}

TEST_F(Heads, TakesTheFramingOfAnswers) {
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\nConnection: close\r\n"),
            "HTTP/1.1 200 OK\r\nX: y\r\n");
  EXPECT_EQ(response_.length, 5u);
  EXPECT_TRUE(response_.has_body);
  answered("HTTP/1.1 200 OK\r\n");
  EXPECT_TRUE(response_.has_body);
  EXPECT_FALSE(response_.length);
  EXPECT_EQ(framing_->body, wire::Framing::Body::until_close);
}

TEST_F(Heads, KnowsAnswersWithoutABody) {
  answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "HEAD");
  EXPECT_FALSE(response_.has_body);
  EXPECT_EQ(response_.length, 5u);
  answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "HEAD");
  EXPECT_FALSE(response_.has_body);
  EXPECT_FALSE(response_.length);
  answered("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n");
  EXPECT_FALSE(response_.has_body);
  EXPECT_FALSE(response_.length);
  answered("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n");
  EXPECT_FALSE(response_.has_body);
  EXPECT_EQ(response_.length, 5u);
}

TEST_F(Heads, TellsOfItsOwnConnection) {
  Response answer;
  answer.status = 200;
  answer.reason = reason_of(200);
  std::string out;
  write_response(answer, {.body = BodyForm::chunked, .close = true}, out);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  out.clear();
  write_response(answer, {.body = BodyForm::sized, .length = 0, .keep_alive = true}, out);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace
}  // namespace lockgate::http
