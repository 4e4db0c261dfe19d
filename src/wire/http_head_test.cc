#include "wire/http_head.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

constexpr std::string_view kPlain =
    "GET /a/b?c=d HTTP/1.1\r\n"
    "Host: WWW.Example.com:8080\r\n"
    "accept:*/*\r\n"
    "X-Empty:\r\n"
    "X-Spaced: \t a  b \t\r\n"
    "\r\n";

RequestHead read(std::string_view text) {
  auto head = parse_request_head(as_bytes(text));
  if (!head || !*head) {
    ADD_FAILURE() << (head ? words(head->error()) : "incomplete") << ": " << text;
    return {};
  }
  return **head;
}

/// "more", "read", or the name of the error.
std::string outcome(std::string_view text, const HeadLimits& limits = {}) {
  auto head = parse_request_head(as_bytes(text), limits);
  if (!head) return "more";
  return head->has_value() ? "read" : std::string(name_of(head->error().code));
}

std::string outcome_of_line(std::string_view line) {
  return outcome(std::string(line) + "\r\nHost: example.com\r\n\r\n");
}
std::string outcome_of_field(std::string_view field) {
  return outcome("GET / HTTP/1.1\r\n" + std::string(field) + "\r\n\r\n");
}

/// The host, or the name of the error.
std::string host_of(std::string_view text) {
  auto host = read(text).host();
  return host ? *host : std::string(name_of(host.error().code));
}
std::string host_of_field(std::string_view value) {
  return host_of("GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n");
}

TEST(RequestHead, IsRead) {
  RequestHead head = read(kPlain);
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/a/b?c=d");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.fields.size(), 4u);
  EXPECT_EQ(head.size, kPlain.size());
  EXPECT_EQ(head.field("ACCEPT"), "*/*");
  EXPECT_EQ(head.field("x-empty"), "");
  EXPECT_EQ(head.field("x-spaced"), "a  b");
  EXPECT_EQ(head.field("cookie"), std::nullopt);
}

TEST(RequestHead, HasAnOnlyValueForWhatIsThereOnce) {
  RequestHead head = read("GET / HTTP/1.0\r\nOnce: a\r\nTwice: b\r\nTWICE: b\r\n\r\n");
  EXPECT_EQ(only_value_in(head.fields, "once"), "a");
  EXPECT_EQ(only_value_in(head.fields, "twice"), std::nullopt);
  EXPECT_EQ(value_in(head.fields, "twice"), "b");
  EXPECT_EQ(only_value_in(head.fields, "never"), std::nullopt);
}

TEST(RequestHead, IsReadAtEverySplitPoint) {
  for (std::size_t size = 0; size < kPlain.size(); ++size) {
    ASSERT_EQ(outcome(kPlain.substr(0, size)), "more") << size;
  }
  EXPECT_EQ(read(std::string(kPlain) + "body").size, kPlain.size());
}

TEST(RequestHead, WithAnyByteChangedGivesAnOutcome) {
  for (std::size_t at = 0; at < kPlain.size(); ++at) {
    for (int wrong : {0, 9, 10, 13, 32, 58, 127, 128, 255}) {
      std::string text(kPlain);
      text[at] = static_cast<char>(wrong);
      if (auto head = parse_request_head(as_bytes(text)); head && *head) (void)(*head)->host();
    }
  }
}

TEST(RequestHead, MayFollowOneEmptyLine) {
  EXPECT_EQ(read("\r\n" + std::string(kPlain)).size, kPlain.size() + 2);
  EXPECT_EQ(outcome("\r\n\r\n" + std::string(kPlain)), "bad_message");
  EXPECT_EQ(outcome("\r"), "more");
}

TEST(RequestHead, HasLinesThatEndWithCrLfOnly) {
  EXPECT_EQ(outcome("GET / HTTP/1.1\nHost: a\n\n"), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\n"), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\rHost: a"), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nX: a\r b\r\n\r\n"), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\n\n"), "bad_message");
}

TEST(RequestHead, WithControlCharactersIsRefusedAtOnce) {
  EXPECT_EQ(outcome(std::string("GET /\0", 6)), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nX: \x7f"), "bad_message");
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nX: \x1b["), "bad_message");
  EXPECT_EQ(outcome_of_field("X: caf\xc3\xa9"), "read");
}

TEST(RequestHead, HasThreePartsInItsFirstLine) {
  for (auto line :
       {"GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.1 ", "GET /", "GET", "",
        "GET\t/ HTTP/1.1", "GET /a b HTTP/1.1", "G@T / HTTP/1.1", "GET / HTTP/2.0", "GET / HTTP/1.10",
        "GET / http/1.1", "GET / HTTP/1.", "GET / HTTP/1.x", "GET /\xc3\xa9 HTTP/1.1"}) {
    EXPECT_EQ(outcome_of_line(line), "bad_message") << line;
  }
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n").minor_version, 0);
}

TEST(RequestHead, HasATargetOfAFormThatItsMethodHas) {
  for (auto line : {"GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "OPTIONS / HTTP/1.1",
                    "GET http://a.example/ HTTP/1.1", "GET HTTP://a.example HTTP/1.1",
                    "CONNECT a.example:443 HTTP/1.1", "CONNECT [2001:db8::1]:443 HTTP/1.1"}) {
    EXPECT_EQ(outcome_of_line(line), "read") << line;
  }
  for (auto line :
       {"GET * HTTP/1.1", "GET a.example HTTP/1.1", "GET /#a HTTP/1.1", "GET ://a HTTP/1.1",
        "GET 1http://a HTTP/1.1", "GET a/b://c HTTP/1.1", "CONNECT / HTTP/1.1", "CONNECT a.example HTTP/1.1",
        "CONNECT a.example: HTTP/1.1", "CONNECT http://a.example:80 HTTP/1.1"}) {
    EXPECT_EQ(outcome_of_line(line), "bad_message") << line;
  }
}

TEST(RequestHead, HasFieldsOfANameAndAColon) {
  for (auto field :
       {"X : a", "X\t: a", ": a", "X a", " X: a", "\tfolded", "X: a\r\n folded", "X(: a", "X\xe9: a"}) {
    EXPECT_EQ(outcome_of_field(field), "bad_message") << field;
  }
  EXPECT_EQ(outcome_of_field("X!#$%&'*+-.^_`|~0: a:b"), "read");
}

TEST(RequestHead, KeepsToItsLimits) {
  EXPECT_EQ(outcome(kPlain, {.bytes = kPlain.size()}), "read");
  EXPECT_EQ(outcome(kPlain, {.bytes = kPlain.size() - 1}), "too_large");
  EXPECT_EQ(outcome(kPlain.substr(0, 40), {.bytes = 40}), "too_large");
  EXPECT_EQ(outcome(kPlain.substr(0, 39), {.bytes = 40}), "more");
  EXPECT_EQ(outcome(kPlain, {.fields = 4}), "read");
  EXPECT_EQ(outcome(kPlain, {.fields = 3}), "too_large");
}

TEST(RequestHead, NumbersTheFieldsThatAProxyActsOn) {
  RequestHead head = read("GET / HTTP/1.1\r\nhOST: a\r\nX: b\r\nconnection: c\r\nConnection: d\r\n\r\n");
  EXPECT_EQ(head.fields[1].id, FieldName::other);
  ASSERT_NE(head.find(FieldName::connection), nullptr);
  EXPECT_EQ(head.find(FieldName::connection)->value, "c");
  EXPECT_EQ(head.count(FieldName::connection), 2u);
  EXPECT_EQ(head.count(FieldName::host), 1u);
  EXPECT_EQ(head.find(FieldName::te), nullptr);
  EXPECT_EQ(head.count(FieldName::te), 0u);
}

TEST(RequestHead, IsReadIntoTheMemoryOfTheLast) {
  RequestHead head;
  ASSERT_TRUE(read_request_head(as_bytes(kPlain), {}, head).value());
  const HeadField* memory = head.fields.data();
  std::string_view second = "POST * HTTP/1.0\r\nA: b\r\n\r\n", third = "\r\nPUT /x HTTP/1.0\r\n\r\n";
  EXPECT_FALSE(read_request_head(as_bytes(second), {}, head).value());
  ASSERT_TRUE(read_request_head(as_bytes(third), {}, head).value());
  EXPECT_EQ(head.fields.data(), memory);
  EXPECT_TRUE(head.fields.empty());
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/x");
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_EQ(head.size, third.size());
}

TEST(RequestHost, IsNormalizedAndWithoutPort) {
  EXPECT_EQ(host_of(kPlain), "www.example.com");
  EXPECT_EQ(host_of_field("Example.COM."), "example.com");
  EXPECT_EQ(host_of_field("example.com:"), "example.com");
  EXPECT_EQ(host_of_field("192.0.2.1:80"), "192.0.2.1");
  EXPECT_EQ(host_of_field("[2001:DB8::1]:80"), "2001:db8::1");
  EXPECT_EQ(host_of_field("[2001:db8::1]"), "2001:db8::1");
}

TEST(RequestHost, ThatIsNoHostIsAnError) {
  for (auto value : {"", "a b", "a,b", "a/b", "user@a.example", "a:b", "a:65536", "a:1:2", "a..b", "[::1",
                     "::1", "[]", "[::1]x", "[192.0.2.1]", "[fe80::1%lo]", "[::1]:x", "\xc3\xa9"}) {
    EXPECT_EQ(host_of_field(value), "bad_message") << value;
  }
}

TEST(RequestHost, ComesOnceAndIsOnlyOptionalInHttp10) {
  EXPECT_EQ(host_of("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n"), "bad_message");
  EXPECT_EQ(host_of("GET / HTTP/1.1\r\n\r\n"), "bad_message");
  EXPECT_EQ(host_of("GET / HTTP/1.0\r\n\r\n"), "");
  EXPECT_EQ(host_of("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), "a");
}

TEST(RequestHost, OfAnAbsoluteTargetOutweighsTheField) {
  EXPECT_EQ(host_of("GET http://A.example:80/x HTTP/1.1\r\nHost: b.example\r\n\r\n"), "a.example");
  EXPECT_EQ(host_of("GET http://a.example?x HTTP/1.1\r\nHost: b.example\r\n\r\n"), "a.example");
  EXPECT_EQ(host_of("CONNECT a.example:443 HTTP/1.1\r\nHost: b.example\r\n\r\n"), "a.example");
  EXPECT_EQ(host_of("OPTIONS * HTTP/1.1\r\nHost: b.example\r\n\r\n"), "b.example");
  EXPECT_EQ(host_of("GET http:///x HTTP/1.1\r\nHost: b.example\r\n\r\n"), "bad_message");
  EXPECT_EQ(host_of("GET http://u@a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n"), "bad_message");
  EXPECT_EQ(host_of("GET http://a.example/ HTTP/1.1\r\nHost: b b\r\n\r\n"), "bad_message");
}

/// "more", "STATUS reason", or the name of the error.
std::string response(std::string_view text, const HeadLimits& limits = {}) {
  auto head = parse_response_head(as_bytes(text), limits);
  if (!head) return "more";
  if (!*head) return std::string(name_of(head->error().code));
  return std::to_string((*head)->status) + " " + std::string((*head)->reason);
}

TEST(ResponseHead, IsReadAtEverySplitPoint) {
  constexpr std::string_view kAnswer = "HTTP/1.0 407 Not  you\xe9\r\nVia: 1.1 a\r\nX:\r\n\r\n";
  for (std::size_t size = 0; size < kAnswer.size(); ++size) {
    ASSERT_EQ(response(kAnswer.substr(0, size)), "more") << size;
  }
  std::string more = std::string(kAnswer) + "page";
  auto head = parse_response_head(as_bytes(more));
  ASSERT_TRUE(head && *head);
  EXPECT_EQ((*head)->status, 407);
  EXPECT_EQ((*head)->reason, "Not  you\xe9");
  EXPECT_EQ((*head)->minor_version, 0);
  EXPECT_EQ((*head)->size, kAnswer.size());
  EXPECT_EQ((*head)->field("via"), "1.1 a");
}

TEST(ResponseHead, NeedsNoReason) {
  EXPECT_EQ(response("HTTP/1.1 200 \r\n\r\n"), "200 ");
  EXPECT_EQ(response("HTTP/1.1 200\r\n\r\n"), "200 ");
  EXPECT_EQ(response("HTTP/1.1 999 x\r\n\r\n"), "999 x");
}

TEST(ResponseHead, ThatIsNoHttp1IsRefusedAtItsFirstWrongByte) {
  for (auto text : {"h", "X", "\r", "HTTP/2", "HTTPS", "ICY 200 OK", "SSH-2.0", "\x15\x03", "HTTP/1.1\n"}) {
    EXPECT_EQ(response(text), "bad_message") << text;
  }
}

TEST(ResponseHead, HasAStatusOfThreeDigits) {
  for (auto line : {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 20x", "HTTP/1.1 020 a",
                    "HTTP/1.1  200", "HTTP/1.x 200 a", "HTTP/1.10 200", "HTTP/1.1\t200 a", "HTTP/1.1 200\ta",
                    "HTTP/1.1 -20"}) {
    EXPECT_EQ(response(std::string(line) + "\r\n\r\n"), "bad_message") << line;
  }
}

TEST(ResponseHead, IsAsStrictAsThatOfARequest) {
  EXPECT_EQ(response("\r\nHTTP/1.1 200 a\r\n\r\n"), "bad_message");
  EXPECT_EQ(response("HTTP/1.1 200 a\nX: b\n\n"), "bad_message");
  EXPECT_EQ(response("HTTP/1.1 200 a\r\nX : b\r\n\r\n"), "bad_message");
  EXPECT_EQ(response("HTTP/1.1 200 a\r\nX: b\r\n c\r\n\r\n"), "bad_message");
  EXPECT_EQ(response("HTTP/1.1 200 \x1b["), "bad_message");
  EXPECT_EQ(response("HTTP/1.1 200 a\r\nX: b", {.bytes = 20}), "too_large");
  EXPECT_EQ(response("HTTP/1.1 200 a\r\nX: b\r\nX: b\r\n\r\n", {.fields = 1}), "too_large");
}

TEST(ResponseHead, IsReadIntoTheMemoryOfTheLast) {
  ResponseHead head;
  ASSERT_TRUE(read_response_head(as_bytes("HTTP/1.0 404 Gone\r\nTE: a\r\n\r\n"), {}, head).value());
  EXPECT_EQ(head.fields[0].id, FieldName::te);
  ASSERT_TRUE(read_response_head(as_bytes("HTTP/1.1 200\r\n\r\n"), {}, head).value());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason, "");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_TRUE(head.fields.empty());
}

TEST(ResponseHead, IsWritten) {
  std::vector<HeadField> fields = {{"Content-Type", "text/plain"}, {"Content-Length", "0"}};
  EXPECT_EQ(write_response_head(404, "Not Found", fields),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(write_response_head(200, "", {}), "HTTP/1.1 200 \r\n\r\n");
}

TEST(ResponseHeadDeathTest, CannotBeSplit) {
  std::vector<HeadField> fields = {{"Location", "/\r\nSet-Cookie: a"}};
  EXPECT_DEATH(write_response_head(302, "Found", fields), "is_value");
}

}  // namespace
}  // namespace lockgate::wire
