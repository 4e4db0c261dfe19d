#include "wire/http_framing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate::wire {
namespace {

std::string words_of(const Result<Framing>& framing) {
  if (!framing) {
    EXPECT_EQ(framing.error().code, Errc::bad_message);
    EXPECT_EQ(framing.error().detail.kind, DetailKind::http_status);
    return std::to_string(framing.error().detail.number);
  }
  switch (framing->body) {
    case Framing::Body::none:
      return "none";
    case Framing::Body::sized:
      return "sized " + std::to_string(framing->length);
    case Framing::Body::chunked:
      return "chunked";
    case Framing::Body::until_close:
      return "until close";
  }
  return "";
}

/// Lines without CR LF.
using Lines = std::vector<std::string>;

std::string text_of(const std::string& first, const Lines& lines) {
  std::string text = first + "\r\n";
  for (const auto& line : lines) text += line + "\r\n";
  return text + "\r\n";
}

std::string of_request(const Lines& lines, const std::string& version = "HTTP/1.1") {
  std::string text = text_of("POST / " + version, lines);
  auto head = parse_request_head(as_bytes(text));
  return head && *head ? words_of(framing_of(**head)) : "no head";
}
std::string of_response(const std::string& first, const Lines& lines, std::string_view method = "GET") {
  std::string text = text_of(first, lines);
  auto head = parse_response_head(as_bytes(text));
  return head && *head ? words_of(framing_of(**head, method)) : "no head";
}

struct Case {
  const char* rule;
  Lines lines;
  std::string request;   // what is made of it in a request
  std::string response;  // and in a response
};

// RFC 9112, 6.1 to 6.3.
const std::vector<Case> kCases = {
    {"neither", {}, "none", "until close"},
    {"a length", {"Content-Length: 5"}, "sized 5", "sized 5"},
    {"a length of nothing", {"Content-Length: 0"}, "sized 0", "sized 0"},
    {"white space around", {"Content-Length: \t5 \t"}, "sized 5", "sized 5"},
    {"zeros before", {"Content-Length: 005"}, "sized 5", "sized 5"},
    {"any case of the name", {"cONTENT-lENGTH: 5"}, "sized 5", "sized 5"},
    {"the largest",
     {"Content-Length: 18446744073709551615"},
     "sized 18446744073709551615",
     "sized 18446744073709551615"},
    {"larger than 64 bits", {"Content-Length: 18446744073709551616"}, "400", "502"},
    {"much larger", {"Content-Length: 99999999999999999999999999"}, "400", "502"},
    {"an empty length", {"Content-Length:"}, "400", "502"},
    {"only white space", {"Content-Length: \t"}, "400", "502"},
    {"a plus", {"Content-Length: +5"}, "400", "502"},
    {"a minus", {"Content-Length: -5"}, "400", "502"},
    {"minus nothing", {"Content-Length: -0"}, "400", "502"},
    {"a space inside", {"Content-Length: 1 2"}, "400", "502"},
    {"a tab inside", {"Content-Length: 1\t2"}, "400", "502"},
    {"hexadecimal", {"Content-Length: 0x5"}, "400", "502"},
    {"hexadecimal digits", {"Content-Length: a"}, "400", "502"},
    {"a fraction", {"Content-Length: 5.0"}, "400", "502"},
    {"an exponent", {"Content-Length: 5e0"}, "400", "502"},
    {"an underscore", {"Content-Length: 1_0"}, "400", "502"},
    {"quotes", {"Content-Length: \"5\""}, "400", "502"},
    {"a unit", {"Content-Length: 5b"}, "400", "502"},
    {"a parameter", {"Content-Length: 5;a=b"}, "400", "502"},
    {"digits that are not ASCII", {"Content-Length: \xd9\xa5"}, "400", "502"},
    {"a list of the same", {"Content-Length: 5, 5"}, "400", "502"},
    {"a list of others", {"Content-Length: 5, 6"}, "400", "502"},
    {"a list with an empty member", {"Content-Length: 5,"}, "400", "502"},
    {"an empty member first", {"Content-Length: ,5"}, "400", "502"},
    {"twice the same", {"Content-Length: 5", "Content-Length: 5"}, "400", "502"},
    {"twice others", {"Content-Length: 5", "Content-Length: 6"}, "400", "502"},
    {"twice, in other cases", {"Content-Length: 5", "content-length: 5"}, "400", "502"},
    {"a sound one and an empty one", {"Content-Length: 5", "Content-Length:"}, "400", "502"},
    {"a name that only looks like it", {"Content_Length: 5"}, "none", "until close"},
    {"chunked", {"Transfer-Encoding: chunked"}, "chunked", "chunked"},
    {"any case of chunked", {"TRANSFER-encoding: cHuNkEd"}, "chunked", "chunked"},
    {"chunked with white space around", {"Transfer-Encoding: \t chunked\t "}, "chunked", "chunked"},
    {"chunked and a length", {"Transfer-Encoding: chunked", "Content-Length: 5"}, "400", "502"},
    {"a length and chunked", {"Content-Length: 5", "Transfer-Encoding: chunked"}, "400", "502"},
    {"chunked and a length of nothing", {"Transfer-Encoding: chunked", "Content-Length: 0"}, "400", "502"},
    {"chunked and a wrong length", {"Transfer-Encoding: chunked", "Content-Length: x"}, "400", "502"},
    {"another coding and a length", {"Transfer-Encoding: gzip, chunked", "Content-Length: 5"}, "400", "502"},
    {"an empty coding and a length", {"Transfer-Encoding:", "Content-Length: 5"}, "400", "502"},
    {"an unknown coding before", {"Transfer-Encoding: gzip, chunked"}, "501", "502"},
    {"two unknown codings before", {"Transfer-Encoding: a,b , CHUNKED"}, "501", "502"},
    {"identity before", {"Transfer-Encoding: identity, chunked"}, "501", "502"},
    {"not chunked at all", {"Transfer-Encoding: gzip"}, "400", "502"},
    {"identity", {"Transfer-Encoding: identity"}, "400", "502"},
    {"chunked not last", {"Transfer-Encoding: chunked, gzip"}, "400", "502"},
    {"chunked in the middle", {"Transfer-Encoding: gzip, chunked, gzip"}, "400", "502"},
    {"chunked twice", {"Transfer-Encoding: chunked, chunked"}, "400", "502"},
    {"chunked twice and another", {"Transfer-Encoding: chunked, gzip, chunked"}, "400", "502"},
    {"two fields of chunked", {"Transfer-Encoding: chunked", "Transfer-Encoding: chunked"}, "400", "502"},
    {"two fields", {"Transfer-Encoding: gzip", "Transfer-Encoding: chunked"}, "400", "502"},
    {"two fields, one unknown", {"Transfer-Encoding: chunked", "Transfer-Encoding: x"}, "400", "502"},
    {"two fields, one empty", {"Transfer-Encoding: chunked", "Transfer-Encoding:"}, "400", "502"},
    {"something like it", {"Transfer-Encoding: xchunked"}, "400", "502"},
    {"something that begins like it", {"Transfer-Encoding: chunkedx"}, "400", "502"},
    {"a space inside it", {"Transfer-Encoding: chun ked"}, "400", "502"},
    {"a word before it", {"Transfer-Encoding: x chunked"}, "400", "502"},
    {"empty", {"Transfer-Encoding:"}, "400", "502"},
    {"an empty member before", {"Transfer-Encoding: , chunked"}, "400", "502"},
    {"an empty member behind", {"Transfer-Encoding: chunked,"}, "400", "502"},
    {"an empty member between", {"Transfer-Encoding: gzip,, chunked"}, "400", "502"},
    {"an empty member last", {"Transfer-Encoding: gzip, chunked,"}, "400", "502"},
    {"only a comma", {"Transfer-Encoding: ,"}, "400", "502"},
    {"in quotes", {"Transfer-Encoding: \"chunked\""}, "400", "502"},
    {"in single quotes", {"Transfer-Encoding: 'chunked'"}, "400", "502"},
    {"with a parameter", {"Transfer-Encoding: chunked;a=b"}, "400", "502"},
    {"with an empty parameter", {"Transfer-Encoding: chunked;"}, "400", "502"},
    {"another with a parameter", {"Transfer-Encoding: gzip;q=1, chunked"}, "400", "502"},
    {"a comma in quotes", {"Transfer-Encoding: \"a, chunked\""}, "400", "502"},
    {"a backslash", {"Transfer-Encoding: \\chunked"}, "400", "502"},
    {"not ASCII", {"Transfer-Encoding: chun\xc2\xadked"}, "400", "502"},
    {"in the wrong field", {"Content-Encoding: chunked"}, "none", "until close"},
    {"in the field of what is accepted", {"TE: chunked"}, "none", "until close"},
};

TEST(Framing, FollowsTheFieldsOfRequestsAndResponses) {
  for (const Case& one : kCases) {
    EXPECT_EQ(of_request(one.lines), one.request) << one.rule;
    EXPECT_EQ(of_response("HTTP/1.1 200 OK", one.lines), one.response) << one.rule;
    EXPECT_EQ(of_response("HTTP/1.1 404 No", one.lines, "POST"), one.response) << one.rule;
  }
}

TEST(Framing, OfHttp10HasNoTransferEncoding) {
  for (auto value : {"chunked", "gzip, chunked", "identity", ""}) {
    Lines lines = {"Transfer-Encoding: " + std::string(value)};
    EXPECT_EQ(of_request(lines, "HTTP/1.0"), "400") << value;
    EXPECT_EQ(of_response("HTTP/1.0 200 OK", lines), "502") << value;
  }
  EXPECT_EQ(of_request({"Content-Length: 5"}, "HTTP/1.0"), "sized 5");
  EXPECT_EQ(of_request({}, "HTTP/1.0"), "none");
  EXPECT_EQ(of_response("HTTP/1.0 200 OK", {}), "until close");
}

TEST(Framing, OfAnswersWithoutBodyIsNone) {
  for (auto first :
       {"HTTP/1.1 100 a", "HTTP/1.1 101 a", "HTTP/1.1 103 a", "HTTP/1.1 204 a", "HTTP/1.1 304 a"}) {
    for (const Lines& lines : {Lines{}, Lines{"Content-Length: 5"}, Lines{"Transfer-Encoding: chunked"},
                               Lines{"Transfer-Encoding: x"}}) {
      EXPECT_EQ(of_response(first, lines), "none") << first;
    }
    for (const Lines& lines : {Lines{"Content-Length: x"}, Lines{"Content-Length: 5", "Content-Length: 5"}}) {
      EXPECT_EQ(of_response(first, lines), "502") << first;
    }
  }
  EXPECT_EQ(of_response("HTTP/1.1 200 a", {"Content-Length: 5"}, "HEAD"), "none");
  EXPECT_EQ(of_response("HTTP/1.1 200 a", {"Transfer-Encoding: chunked"}, "HEAD"), "none");
  EXPECT_EQ(of_response("HTTP/1.1 200 a", {"Content-Length: 5, 5"}, "HEAD"), "502");
  // Methods differ in case (RFC 9110, 9.1).
  EXPECT_EQ(of_response("HTTP/1.1 200 a", {"Content-Length: 5"}, "head"), "sized 5");
  EXPECT_EQ(of_response("HTTP/1.1 205 a", {"Content-Length: 0"}), "sized 0");
}

TEST(Framing, OfATunnelIsNone) {
  for (const Lines& lines : {Lines{}, Lines{"Content-Length: 5"}, Lines{"Content-Length: x"},
                             Lines{"Transfer-Encoding: chunked", "Content-Length: 5"}}) {
    EXPECT_EQ(of_response("HTTP/1.1 200 a", lines, "CONNECT"), "none");
    EXPECT_EQ(of_response("HTTP/1.1 299 a", lines, "CONNECT"), "none");
  }
  EXPECT_EQ(of_response("HTTP/1.1 407 a", {"Content-Length: 5"}, "CONNECT"), "sized 5");
  EXPECT_EQ(of_response("HTTP/1.1 300 a", {}, "CONNECT"), "until close");
}

std::vector<std::string> members_of(std::string_view list) {
  std::vector<std::string> members;
  for_each_member(list, [&](std::string_view member) {
    members.emplace_back(member);
    return true;
  });
  return members;
}

TEST(ListMembers, AreWhatStandsBetweenCommas) {
  using Members = std::vector<std::string>;
  EXPECT_EQ(members_of(""), Members{});
  EXPECT_EQ(members_of(" ,\t, "), Members{});
  EXPECT_EQ(members_of("a"), Members{"a"});
  EXPECT_EQ(members_of(" a ,b\t,, c d ,"), (Members{"a", "b", "c d"}));
  EXPECT_EQ(members_of("a=\"b, c\", d"), (Members{"a=\"b, c\"", "d"}));
  EXPECT_EQ(members_of(R"("a\", b", c)"), (Members{R"("a\", b")", "c"}));
  EXPECT_EQ(members_of(R"(a\, b)"), (Members{R"(a\)", "b"}));
  EXPECT_EQ(members_of("a, \"b, c"), (Members{"a", "\"b, c"}));
  EXPECT_EQ(members_of("\"\\"), Members{"\"\\"});
}

TEST(ListMembers, AreVisitedUntilThatIsEnough) {
  int visits = 0;
  for_each_member("a, b, c", [&](std::string_view member) {
    ++visits;
    return member != "b";
  });
  EXPECT_EQ(visits, 2);
}

RequestHead head_of(const std::string& text) {
  auto head = parse_request_head(as_bytes(text));
  EXPECT_TRUE(head && *head) << text;
  return std::move(head->value());
}

TEST(ConnectionOptions, AreTokensInAnyCaseAndAnyNumberOfFields) {
  std::string text = text_of("GET / HTTP/1.1", {"Connection: Upgrade , KEEP-alive", "X: close"});
  auto options = connection_options(head_of(text));
  EXPECT_TRUE(options.upgrade && options.keep_alive && !options.close);
  text = text_of("GET / HTTP/1.1", {"connection: ,x", "CONNECTION:cLoSe,"});
  options = connection_options(head_of(text));
  EXPECT_TRUE(options.close && !options.upgrade && !options.keep_alive);
  text = text_of("GET / HTTP/1.1", {"Connection: closed", "Connection: x close", "Connection: \"a, close\""});
  EXPECT_FALSE(connection_options(head_of(text)).close);
}

TEST(ConnectionOptions, NameFieldsThatStayHere) {
  std::string text = text_of("GET / HTTP/1.1", {"Connection: close, x-A", "Connection: TE"});
  RequestHead head = head_of(text);
  EXPECT_TRUE(is_named_by_connection(head, "X-a"));
  EXPECT_TRUE(is_named_by_connection(head, "te"));
  EXPECT_FALSE(is_named_by_connection(head, "x"));
  EXPECT_FALSE(is_named_by_connection(head, ""));
}

TEST(Connection, PersistsByVersionAndOptions) {
  struct Row {
    const char* version;
    const char* value;
    bool persists;
  };
  for (const Row& row :
       {Row{"1.1", "", true}, Row{"1.1", "close", false}, Row{"1.1", "keep-alive", true},
        Row{"1.1", "keep-alive, close", false}, Row{"1.0", "", false}, Row{"1.0", "Keep-Alive", true},
        Row{"1.0", "keep-alive, close", false}, Row{"1.9", "upgrade", true}}) {
    std::string text =
        text_of("GET / HTTP/" + std::string(row.version), {"Connection: " + std::string(row.value)});
    EXPECT_EQ(persists(head_of(text)), row.persists) << row.version << " " << row.value;
  }
}

}  // namespace
}  // namespace lockgate::wire
