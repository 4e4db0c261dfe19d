// What heads are refused for, rule by rule, and with which status: at the first byte
// that breaks the rule or at the end of its line, and the same whatever follows.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/http_head.h"

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

constexpr HeadLimits kLimits{.bytes = 200, .fields = 3, .target = 20};

/// "read", "more" or the status to refuse with.
template <class Head>
std::string outcome_of(const std::optional<Result<Head>>& outcome) {
  if (!outcome) return "more";
  if (*outcome) return "read";
  const Error& error = outcome->error();
  EXPECT_EQ(error.detail.kind, DetailKind::http_status);
  bool large = error.detail.number == 414 || error.detail.number == 431;
  if (error.detail.number != 502) {
    EXPECT_EQ(error.code, large ? Errc::too_large : Errc::bad_message);
  }
  return std::to_string(error.detail.number);
}
std::string of_request(std::string_view text) {
  return outcome_of(parse_request_head(as_bytes(text), kLimits));
}
std::string of_response(std::string_view text) {
  return outcome_of(parse_response_head(as_bytes(text), kLimits));
}

/// `text` arrives byte by byte, with more behind it.
void expect_at_every_split(std::string (*of)(std::string_view), const std::string& text,
                           const std::string& outcome) {
  std::string decided = "more";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    std::string now = of(text.substr(0, size));
    if (decided != "more") ASSERT_EQ(now, decided) << size;
    decided = now;
  }
  EXPECT_EQ(decided, outcome);
  if (outcome == "more") return;
  EXPECT_EQ(of(text + "\r\nX: y\r\n\r\n"), outcome);
  EXPECT_EQ(of(text + std::string(300, 'x')), outcome);
}

struct Case {
  const char* rule;
  std::string text;
  std::string outcome;
};

std::string line(const std::string& first) { return first + "\r\nHost: a\r\n\r\n"; }
std::string field(const std::string& one) { return "GET / HTTP/1.1\r\n" + one + "\r\n\r\n"; }

TEST(HttpRules, OfRequestsHold) {
  const std::vector<Case> cases = {
      {"9112, 3: three parts", line("GET / HTTP/1.1"), "read"},
      {"9112, 2.2: one empty line before", "\r\n" + line("GET / HTTP/1.1"), "read"},
      {"9112, 2.2: but only one", "\r\n\r\n" + line("GET / HTTP/1.1"), "400"},
      {"9112, 2.2: and no bare LF", "\n" + line("GET / HTTP/1.1"), "400"},
      {"9112, 2.2: nor a bare CR", "\rG", "400"},
      {"9112, 2.2: no white space before", " " + line("GET / HTTP/1.1"), "400"},
      {"9112, 3: two spaces before the target", line("GET  / HTTP/1.1"), "400"},
      {"9112, 3: two spaces before the version", line("GET /  HTTP/1.1"), "400"},
      {"9112, 3: a tab instead of a space", line("GET\t/ HTTP/1.1"), "400"},
      {"9112, 3: a tab before the version", line("GET /\tHTTP/1.1"), "400"},
      {"9112, 3: a space at the end", line("GET / HTTP/1.1 "), "400"},
      {"9112, 3: a space in the target", line("GET /a b HTTP/1.1"), "400"},
      {"9112, 3: no version (HTTP/0.9)", line("GET /"), "400"},
      {"9112, 3: no target", line("GET"), "400"},
      {"9112, 3: an empty target", line("GET  HTTP/1.1"), "400"},
      {"9112, 3.1: any token is a method", line("m-SEARCH / HTTP/1.1"), "read"},
      {"9112, 3.1: no token", line("G(T / HTTP/1.1"), "400"},
      {"9112, 3.1: a colon", line("GET: / HTTP/1.1"), "400"},
      {"9112, 3.1: not ASCII", line("G\xc3\x89T / HTTP/1.1"), "400"},
      {"9112, 3.1: NUL in the method", line("GE\0T / HTTP/1.1"s), "400"},
      {"a TLS hello", "\x16\x03\x01", "400"},
      {"9112, 2.3: lower case", line("GET / http/1.1"), "400"},
      {"9112, 2.3: no minor version", line("GET / HTTP/1."), "400"},
      {"9112, 2.3: no dot", line("GET / HTTP/11"), "400"},
      {"9112, 2.3: two digits", line("GET / HTTP/1.10"), "400"},
      {"9112, 2.3: two digits before the dot", line("GET / HTTP/01.1"), "400"},
      {"9112, 2.3: a letter", line("GET / HTTP/1.x"), "400"},
      {"9112, 2.3: a sign", line("GET / HTTP/+1.1"), "400"},
      {"9112, 2.3: another protocol", line("GET / RTSP/1.0"), "400"},
      {"9112, 2.3: a space in it", line("GET / HTTP/ 1.1"), "400"},
      {"9110, 2.5: a later minor version", line("GET / HTTP/1.9"), "read"},
      {"9110, 2.5: HTTP/1.0", line("GET / HTTP/1.0"), "read"},
      {"9110, 15.6.6: HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
      {"9110, 15.6.6: a version to come", line("GET / HTTP/3.0"), "505"},
      {"9110, 15.6.6: a version before", line("GET / HTTP/0.9"), "505"},
      {"9112, 2.3: no minor version of another", line("GET / HTTP/2"), "400"},
      {"9112, 3.2.1: with a query", line("GET /a?b=/?c HTTP/1.1"), "read"},
      {"9112, 3.2.1: a fragment", line("GET /a#b HTTP/1.1"), "400"},
      {"9112, 3.2: not ASCII", line("GET /\xc3\xa9 HTTP/1.1"), "400"},
      {"9112, 3.2: DEL", line("GET /\x7f HTTP/1.1"), "400"},
      {"9112, 3.2: NUL", line("GET /\0 HTTP/1.1"s), "400"},
      {"9112, 3.2: a bare CR", line("GET /\r HTTP/1.1"), "400"},
      {"9112, 3.2.1: no slash", line("GET a HTTP/1.1"), "400"},
      {"9112, 3.2.2: absolute", line("GET http://a/b HTTP/1.1"), "read"},
      {"9112, 3.2.2: no scheme", line("GET ://a/b HTTP/1.1"), "400"},
      {"9112, 3.2.2: a scheme that is none", line("GET h_p://a/b HTTP/1.1"), "400"},
      {"9112, 3.2.3: with a port", line("CONNECT a:443 HTTP/1.1"), "read"},
      {"9112, 3.2.3: without a port", line("CONNECT a HTTP/1.1"), "400"},
      {"9112, 3.2.3: for CONNECT only", line("GET a:443 HTTP/1.1"), "400"},
      {"9112, 3.2.3: with a user", line("CONNECT u@a:443 HTTP/1.1"), "400"},
      {"9112, 3.2.4: asterisk", line("OPTIONS * HTTP/1.1"), "read"},
      {"9112, 3.2.4: for OPTIONS only", line("GET * HTTP/1.1"), "400"},
      {"9112, 3.2.4: alone", line("OPTIONS ** HTTP/1.1"), "400"},
      {"9110, 15.5.15: the longest target", line("GET /2345678901234567890 HTTP/1.1"), "read"},
      {"9110, 15.5.15: too long a target", line("GET /23456789012345678901 HTTP/1.1"), "414"},
      {"9110, 15.5.15: before it ends", "GET /23456789012345678901", "414"},
      {"9110, 15.5.15: wrong before it is long", line("GET /#3456789012345678901 HTTP/1.1"), "400"},
      {"9110, 15.5.15: long before it is wrong", line("GET /23456789012345678901# HTTP/1.1"), "414"},
      {"9112, 2.2: lines that end with LF", "GET / HTTP/1.1\nHost: a\n\n", "400"},
      {"9112, 2.2: one of them", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
      {"9112, 2.2: the last", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400"},
      {"9112, 2.2: a bare CR in the last", "GET / HTTP/1.1\r\nHost: a\r\n\rX", "400"},
      {"9112, 2.2: CR CR LF", "GET / HTTP/1.1\r\r\n", "400"},
      {"9112, 5.1: no space behind the colon", field("Host:a"), "read"},
      {"9112, 5.1: spaces and tabs around", field("Host: \t a \t "), "read"},
      {"9112, 5.1: empty", field("X:"), "read"},
      {"9112, 5.1: only white space", field("X: \t "), "read"},
      {"9112, 5.1: a space before the colon", field("Host : a"), "400"},
      {"9112, 5.1: a tab before the colon", field("Host\t: a"), "400"},
      {"9112, 5.1: no name", field(": a"), "400"},
      {"9112, 5.1: no colon", field("Host"), "400"},
      {"9112, 5.1: a space in the name", field("Ho st: a"), "400"},
      {"9112, 5.2: a folded line", field("X: a\r\n b"), "400"},
      {"9112, 5.2: folded with a tab", field("X: a\r\n\tb"), "400"},
      {"9112, 2.2: a space before the first field", field(" X: a"), "400"},
      {"9110, 5.1: every mark of a token", field("!#$%&'*+-.^_`|~: a"), "read"},
      {"9110, 5.1: brackets", field("X[0]: a"), "400"},
      {"9110, 5.1: quotes", field("\"X\": a"), "400"},
      {"9110, 5.1: a slash", field("X/Y: a"), "400"},
      {"9110, 5.1: not ASCII", field("X\xc3\xa9: a"), "400"},
      {"9110, 5.1: NUL", field("X\0: a"s), "400"},
      {"9110, 5.5: not ASCII is text to pass on", field("X: caf\xc3\xa9 \xff"), "read"},
      {"9110, 5.5: a tab inside", field("X: a\tb"), "read"},
      {"9110, 5.5: NUL", field("X: a\0b"s), "400"},
      {"9110, 5.5: a bare CR", field("X: a\rb"), "400"},
      {"9110, 5.5: a bare LF", field("X: a\nY: b"), "400"},
      {"9110, 5.5: DEL", field("X: a\x7f"), "400"},
      {"9110, 5.5: ESC", field("X: \x1b[0m"), "400"},
      {"9110, 5.5: vertical tab around TE", field("Transfer-Encoding: \vchunked"), "400"},
      {"9110, 5.5: form feed", field("Transfer-Encoding:\fchunked"), "400"},
      {"limit of fields: reached", field("X: a\r\nX: a\r\nX: a"), "read"},
      {"limit of fields: passed", field("X: a\r\nX: a\r\nX: a\r\nX: a"), "431"},
      {"limit of bytes: in a value", field("X: " + std::string(200, 'a')), "431"},
      {"limit of bytes: in a name", field(std::string(200, 'a') + ": a"), "431"},
      {"limit of bytes: in the method", line(std::string(200, 'a') + " / HTTP/1.1"), "431"},
      {"limit of bytes: reached", field("X: " + std::string(177, 'a')), "read"},
      {"limit of bytes: passed", field("X: " + std::string(178, 'a')), "431"},
      {"not all has arrived", "GET / HTTP/1.1\r\nHost: a\r\n\r", "more"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.rule) + " " + testing::PrintToString(one.text));
    expect_at_every_split(of_request, one.text, one.outcome);
  }
}

TEST(HttpRules, OfResponsesHold) {
  auto head = [](const std::string& first) { return first + "\r\nX: a\r\n\r\n"; };
  const std::vector<Case> cases = {
      {"9112, 4: three parts", head("HTTP/1.1 200 OK"), "read"},
      {"9112, 4: no reason", head("HTTP/1.1 200 "), "read"},
      {"9112, 4: nor a space before it", head("HTTP/1.1 200"), "read"},
      {"9112, 4: any reason", head("HTTP/1.0 599 a  b\t\xff"), "read"},
      {"9112, 4: an empty line before", "\r\n" + head("HTTP/1.1 200 OK"), "502"},
      {"9112, 4: a control character", head("HTTP/1.1 200 \x01"), "502"},
      {"9112, 4: NUL in the reason", head("HTTP/1.1 200 a\0b"s), "502"},
      {"9112, 4: two spaces", head("HTTP/1.1  200 OK"), "502"},
      {"9112, 4: a tab", head("HTTP/1.1\t200 OK"), "502"},
      {"9110, 15: two digits", head("HTTP/1.1 20 OK"), "502"},
      {"9110, 15: four digits", head("HTTP/1.1 2000 OK"), "502"},
      {"9110, 15: below 100", head("HTTP/1.1 099 OK"), "502"},
      {"9110, 15: a sign", head("HTTP/1.1 +20 OK"), "502"},
      {"9112, 2.3: another version", head("HTTP/2.0 200 OK"), "502"},
      {"9112, 2.3: two digits", head("HTTP/1.11 200 OK"), "502"},
      {"9112, 2.3: lower case", head("http/1.1 200 OK"), "502"},
      {"another protocol", "ICY 200 OK", "502"},
      {"9112, 2.2: LF only", "HTTP/1.1 200 OK\nX: a\n\n", "502"},
      {"9112, 5.1: a space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "502"},
      {"9112, 5.2: a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "502"},
      {"limit of fields", "HTTP/1.1 200 OK\r\nX: a\r\nX: a\r\nX: a\r\nX: a\r\n\r\n", "502"},
      {"limit of bytes", "HTTP/1.1 200 " + std::string(200, 'a'), "502"},
      {"a target's limit is for requests", "HTTP/1.1 200 123456789012345678901\r\n\r\n", "read"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(std::string(one.rule) + " " + testing::PrintToString(one.text));
    expect_at_every_split(of_response, one.text, one.outcome);
  }
}

TEST(HttpRules, OfHostAnswerWith400) {
  for (auto text : {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "GET http:/// HTTP/1.0\r\n\r\n"}) {
    auto head = parse_request_head(as_bytes(text));
    ASSERT_TRUE(head && *head) << text;
    auto host = (*head)->host();
    ASSERT_FALSE(host) << text;
    EXPECT_EQ(host.error().detail, (Detail{DetailKind::http_status, 400})) << text;
  }
}

}  // namespace
}  // namespace lockgate::wire
