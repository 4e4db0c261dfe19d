#include "wire/connect.h"

#include <gtest/gtest.h>

#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

constexpr std::string_view kOpen = "HTTP/1.1 200 Connection established\r\nVia: 1.1 parent\r\n\r\n";
constexpr std::string_view kRefused =
    "HTTP/1.1 407 Proxy Authentication Required\r\n"
    "Proxy-Authenticate: Negotiate\r\n"
    "proxy-authenticate: Basic realm=\"a, b\"\r\n"
    "X-Squid-Error: ERR_CACHE_ACCESS_DENIED 0\r\n"
    "Content-Length: 4\r\n"
    "\r\n";

std::string written(std::string_view host, std::uint16_t port) {
  auto request = write_connect(host, port, "", "");
  return request ? *request : std::string(name_of(request.error().code));
}

ConnectAnswer read(std::string_view text) {
  auto answer = parse_connect_answer(as_bytes(text));
  if (!answer || !*answer) {
    ADD_FAILURE() << (answer ? words(answer->error()) : "incomplete") << ": " << text;
    return {};
  }
  return **answer;
}

/// "more", the status, or the name of the error.
std::string outcome(std::string_view text) {
  auto answer = parse_connect_answer(as_bytes(text));
  if (!answer) return "more";
  return *answer ? std::to_string((*answer)->status) : std::string(name_of(answer->error().code));
}

std::string refusal_with(std::string_view fields) {
  return "HTTP/1.1 503 Busy\r\n" + std::string(fields) + "\r\n\r\n";
}
std::vector<std::string> schemes(std::string_view value) {
  return read(refusal_with("Proxy-Authenticate: " + std::string(value))).schemes;
}

/// The page of a refusal with `fields`, of which `body` has arrived; '|' behind it if it has ended.
std::string page(std::string_view fields, std::string_view body) {
  std::string text = refusal_with(fields) + std::string(body);
  Page page = page_of_refusal(read(text), as_bytes(text));
  return page.content + (page.ended ? "|" : "");
}

using Schemes = std::vector<std::string>;

TEST(Connect, AsksForNamesAndAddresses) {
  EXPECT_EQ(written("app.example.org", 443),
            "CONNECT app.example.org:443 HTTP/1.1\r\nHost: app.example.org:443\r\n\r\n");
  EXPECT_EQ(written("192.0.2.1", 1), "CONNECT 192.0.2.1:1 HTTP/1.1\r\nHost: 192.0.2.1:1\r\n\r\n");
  EXPECT_EQ(written("2001:DB8::1", 65535),
            "CONNECT [2001:db8::1]:65535 HTTP/1.1\r\nHost: [2001:db8::1]:65535\r\n\r\n");
  EXPECT_EQ(written("A_b.Example.", 80), "CONNECT a_b.example:80 HTTP/1.1\r\nHost: a_b.example:80\r\n\r\n");
}

TEST(Connect, AsksForNothingElse) {
  for (std::string_view host : {"", ".", "a b", "a:1", "a/b", "u@a", "a\r\nX: b", "[::1]", "fe80::1%lo",
                                "a%lo", "caf\xc3\xa9.example", "a#", "a..b"}) {
    EXPECT_EQ(written(host, 443), "bad_message") << host;
  }
}

// RFC 7617, 2 and 2.1.
TEST(Connect, LogsInByBasic) {
  auto field = [](std::string_view user, std::string_view password) {
    std::string request = write_connect("a.example", 443, user, password).value();
    auto head = parse_request_head(as_bytes(request));
    return std::string((*head)->field("proxy-authorization").value_or("none"));
  };
  EXPECT_EQ(field("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(field("test", "123\xc2\xa3"), "Basic dGVzdDoxMjPCow==");
  EXPECT_EQ(field("a", ""), "Basic YTo=");
  EXPECT_EQ(field("", ""), "none");
}

TEST(Connect, WritesWhatAServerReads) {
  for (auto [host, read_as] :
       {std::pair{"app.example", "app.example"}, {"::1", "::1"}, {"192.0.2.1", "192.0.2.1"}}) {
    std::string request = write_connect(host, 443, "user", std::string(900, 'x')).value();
    auto head = parse_request_head(as_bytes(request));
    ASSERT_TRUE(head && *head);
    EXPECT_EQ((*head)->method, "CONNECT");
    EXPECT_EQ((*head)->host().value(), read_as);
    EXPECT_EQ((*head)->field("host"), (*head)->target);
    EXPECT_EQ((*head)->size, request.size());
  }
}

TEST(ConnectAnswer, OpensATunnelByAnyStatusOf2xx) {
  ConnectAnswer answer = read(std::string(kOpen) + "what the upstream says");
  EXPECT_TRUE(answer.is_tunnel());
  EXPECT_EQ(answer.size, kOpen.size());
  EXPECT_EQ(answer.reason, "Connection established");
  EXPECT_TRUE(read("HTTP/1.0 200\r\n\r\n").is_tunnel());
  EXPECT_TRUE(read("HTTP/1.1 299 x\r\n\r\n").is_tunnel());
  EXPECT_FALSE(read("HTTP/1.1 300 x\r\n\r\n").is_tunnel());
}

TEST(ConnectAnswer, ThatOpensATunnelHasNoPageWhateverItSays) {
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
  ConnectAnswer answer = read(text + "hello");
  EXPECT_EQ(answer.size, text.size());
  EXPECT_FALSE(answer.page_size);
  EXPECT_FALSE(answer.chunked);
}

TEST(ConnectAnswer, IsReadAtEverySplitPoint) {
  for (std::string_view text : {kOpen, kRefused}) {
    for (std::size_t size = 0; size < text.size(); ++size) ASSERT_EQ(outcome(text.substr(0, size)), "more");
    EXPECT_EQ(read(text).size, text.size());
  }
}

TEST(ConnectAnswer, WithAnyByteChangedGivesAnOutcome) {
  for (std::size_t at = 0; at < kRefused.size(); ++at) {
    for (int wrong : {0, 9, 10, 13, 32, 34, 44, 58, 61, 127, 255}) {
      std::string text(kRefused);
      text[at] = static_cast<char>(wrong);
      auto answer = parse_connect_answer(as_bytes(text));
      if (answer && *answer) EXPECT_LE((*answer)->size, text.size());
    }
  }
}

TEST(ConnectAnswer, MayFollowInterimOnes) {
  std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: a\r\n\r\n";
  ConnectAnswer answer = read(interim + std::string(kOpen));
  EXPECT_TRUE(answer.is_tunnel());
  EXPECT_EQ(answer.size, interim.size() + kOpen.size());
  for (std::size_t size = 0; size < interim.size(); ++size)
    ASSERT_EQ(outcome(interim.substr(0, size)), "more");
  EXPECT_EQ(outcome("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "bad_message");
  EXPECT_EQ(outcome(interim + "x"), "bad_message");
}

TEST(ConnectAnswer, KeepsToItsLimitWithAllInterimOnesTogether) {
  std::string head = "HTTP/1.1 403 a\r\nX: \r\n\r\n";
  auto padded = [&](std::size_t size) { return std::string(head).insert(19, size - head.size(), 'x'); };
  EXPECT_EQ(outcome(padded(kLongestConnectAnswer)), "403");
  EXPECT_EQ(outcome(padded(kLongestConnectAnswer) + std::string(100'000, 'x')), "403");
  EXPECT_EQ(outcome(padded(kLongestConnectAnswer + 1)), "too_large");
  std::string interim;
  while (interim.size() < kLongestConnectAnswer) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(outcome(interim + std::string(kOpen)), "too_large");
  EXPECT_EQ(outcome(std::string("HTTP/1.1 100 a\r\nX: \r\n\r\n").insert(19, kLongestConnectAnswer - 23, 'x')),
            "too_large");
}

TEST(ConnectAnswer, HasAReasonThatIsSafeToPrint) {
  EXPECT_EQ(read("HTTP/1.1 403 Zugriff ver\xc3\xa4ndert\ta\r\n\r\n").reason, "Zugriff ver??ndert?a");
  EXPECT_EQ(read("HTTP/1.1 403 " + std::string(5000, 'x') + "\r\n\r\n").reason.size(), kLongestReason);
}

TEST(ConnectAnswer, TellsTheWaysToLogIn) {
  EXPECT_EQ(read(kRefused).schemes, (Schemes{"Negotiate", "Basic"}));
  EXPECT_TRUE(read(kRefused).offers("basic"));
  EXPECT_FALSE(read(kRefused).offers("Digest"));
  EXPECT_EQ(schemes("Negotiate, NTLM,Basic realm=\"x\""), (Schemes{"Negotiate", "NTLM", "Basic"}));
  EXPECT_EQ(schemes("Digest realm=\"a\", qop=\"auth, auth-int\", nonce = \"x\\\", y\", Basic realm=b"),
            (Schemes{"Digest", "Basic"}));
  EXPECT_EQ(schemes("NTLM TlRMTVNTUAACAAAA==, basic, BASIC"), (Schemes{"NTLM", "basic"}));
  EXPECT_EQ(schemes(",, ,"), Schemes{});
  EXPECT_EQ(schemes("\"unended, Basic"), Schemes{});
  EXPECT_EQ(schemes("\"ended badly\\"), Schemes{});
  EXPECT_EQ(schemes(std::string(41, 'x') + ", Basic"), Schemes{"Basic"});
  EXPECT_EQ(schemes("a,b,c,d,e,f,g,h,i,j").size(), kMostSchemes);
}

TEST(ConnectAnswer, TellsTheCause) {
  EXPECT_EQ(read(kRefused).cause, "ERR_CACHE_ACCESS_DENIED");
  EXPECT_EQ(read(refusal_with("Proxy-Status: proxy.example; error=dns_error; rcode=\"x\"")).cause,
            "dns_error");
  EXPECT_EQ(read(refusal_with("Proxy-Status: proxy.example")).cause, "");
  EXPECT_EQ(read(refusal_with("X-Squid-Error: \x80")).cause, "");
}

TEST(ConnectAnswer, MeansWhatCauseOrStatusSay) {
  auto meaning = [](int status, std::string_view cause) {
    return meaning_of_refusal({.status = status, .cause = std::string(cause)});
  };
  for (int status : {300, 302, 400, 401, 403, 404, 405, 407, 429, 500, 501, 503, 999}) {
    EXPECT_EQ(meaning(status, ""), Errc::refused) << status;
  }
  EXPECT_EQ(meaning(502, ""), Errc::unreachable);
  EXPECT_EQ(meaning(504, ""), Errc::timed_out);
  EXPECT_EQ(meaning(408, ""), Errc::timed_out);
  EXPECT_EQ(meaning(503, "ERR_DNS_FAIL"), Errc::unresolved);
  EXPECT_EQ(meaning(503, "ERR_CONNECT_FAIL"), Errc::unreachable);
  EXPECT_EQ(meaning(403, "ERR_ACCESS_DENIED"), Errc::refused);
  EXPECT_EQ(meaning(502, "dns_timeout"), Errc::unresolved);
  EXPECT_EQ(meaning(502, "connection_timeout"), Errc::timed_out);
}

TEST(RefusalPage, EndsWhereTheHeadSays) {
  EXPECT_EQ(page("Content-Length: 4", ""), "");
  EXPECT_EQ(page("Content-Length: 4", "abc"), "abc");
  EXPECT_EQ(page("Content-Length: 4", "abcd"), "abcd|");
  EXPECT_EQ(page("Content-Length: 4", "abcdef"), "abcd|");
  EXPECT_EQ(page("Content-Length: 0", "x"), "|");
  EXPECT_EQ(page("X: a", "abc"), "abc");
  EXPECT_EQ(page("Content-Length: 4x", "abcdef"), "abcdef");
}

TEST(RefusalPage, IsReadNoFurtherThanItsLimit) {
  std::string much(kLongestPage + 10, 'x');
  EXPECT_EQ(page("X: a", much), much.substr(0, kLongestPage));
  EXPECT_EQ(page("Content-Length: 5000", much), much.substr(0, kLongestPage));
  EXPECT_EQ(page("Transfer-Encoding: chunked", "fff\r\n" + much.substr(0, 0xfff) + "\r\nfff\r\n" + much),
            much.substr(0, kLongestPage));
}

TEST(RefusalPage, ComesInChunks) {
  constexpr std::string_view kBody = "3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n";
  EXPECT_EQ(page("Transfer-Encoding: Chunked", kBody), "abc0123456789|");
  for (std::size_t size = 0; size < kBody.size() - 4; ++size) {
    std::string early = page("Transfer-Encoding: chunked\r\nContent-Length: 2", kBody.substr(0, size));
    EXPECT_TRUE(std::string_view("abc0123456789").starts_with(early)) << early;
  }
  EXPECT_EQ(page("Transfer-Encoding: chunked", "3\r\nabc\r\nx\r\n"), "abc|");
  EXPECT_EQ(page("Transfer-Encoding: chunked", "-3\r\nabc\r\n"), "|");
  EXPECT_EQ(page("Transfer-Encoding: chunked", "ffffffffffffffff\r\nabc\r\n"), "abc\r\n");
  EXPECT_EQ(page("Transfer-Encoding: chunked", "fffffffffffffffff\r\nabc\r\n"), "|");
}

TEST(RefusalPage, ThatIsNoTextIsNotRead) {
  EXPECT_EQ(page("Content-Type: image/png", "abc"), "|");
  EXPECT_EQ(page("Content-Encoding: gzip", "abc"), "|");
  EXPECT_EQ(page("Content-Type: Text/Plain\r\nContent-Encoding: Identity", "abc"), "abc");
  EXPECT_EQ(page("Content-Type: application/json", "{}"), "{}");
}

}  // namespace
}  // namespace lockgate::wire
