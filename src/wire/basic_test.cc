#include "wire/basic.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/digest.h"

namespace lockgate::wire {
namespace {

/// "name|password", or "none".
std::string read(std::string_view field) {
  std::vector<char> room(room_for_basic(field));
  auto found = read_basic(field, room);
  return found ? std::string(found->user) + "|" + std::string(found->password) : "none";
}
std::string read_encoded(std::string_view text) { return read("Basic " + base64(as_bytes(text))); }

TEST(Basic, IsReadAsTheSpecificationShowsIt) {
  EXPECT_EQ(read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin|open sesame");  // RFC 7617, 2
  EXPECT_EQ(read("Basic dGVzdDoxMjPCow=="), "test|123\xc2\xa3");                 // RFC 7617, 2.1
}

TEST(Basic, ComesInAnyCaseAndWithSeveralSpaces) {
  for (const char* scheme : {"basic ", "BASIC ", "bAsIc   "})
    EXPECT_EQ(read(scheme + std::string("YTpi")), "a|b") << scheme;
}

TEST(Basic, EndsTheNameAtTheFirstColon) {
  EXPECT_EQ(read_encoded("ann:a:b::c"), "ann|a:b::c");
  EXPECT_EQ(read_encoded("ann:"), "ann|");
}

TEST(Basic, NeedsAName) {
  for (const char* text : {"", ":", ":secret", "ann", " ann:x", "ann :x", " :x"})
    EXPECT_EQ(read_encoded(text), "none") << text;
  EXPECT_EQ(read_encoded("ann lee:x"), "ann lee|x");
}

TEST(Basic, IsOfNoOtherScheme) {
  for (const char* field : {"", "Basic", "Basic ", "BasicYTpi", "Bearer YTpi", "Digest username=\"ann\"",
                            "Basic\tYTpi", "Negotiate YTpi", " Basic YTpi"})
    EXPECT_EQ(read(field), "none") << field;
}

TEST(Basic, HasNoControlCharactersAndIsUtf8) {
  using namespace std::string_view_literals;
  for (std::string_view text : {"a\0n:x"sv, "an\n:x"sv, "ann:x\r"sv, "ann:\x7f"sv, "ann:\xc2\x85"sv,
                                "m\xfcller:x"sv, "ann:\xff"sv, "ann:\xc0\xaf"sv, "ann:\xed\xa0\x80"sv})
    EXPECT_EQ(read_encoded(text), "none") << text;
  EXPECT_EQ(read_encoded("m\xc3\xbcller:\xe2\x82\xac"), "m\xc3\xbcller|\xe2\x82\xac");
}

TEST(Basic, HasOneFormOnly) {
  EXPECT_EQ(read("Basic YTpiYw=="), "a|bc");
  EXPECT_EQ(read("Basic YTpiYw"), "a|bc");
  for (const char* field : {"Basic YTpiYw=", "Basic YTpiYx==", "Basic YTpi====", "Basic YTpiY", "Basic YT pi",
                            "Basic YTpi ", "Basic YT-i", "Basic YTpi, Basic YTpi", "Basic =YTpi"})
    EXPECT_EQ(read(field), "none") << field;
}

TEST(Basic, IsBounded) {
  std::string most(3000, 'a');
  most[10] = ':';
  EXPECT_NE(read_encoded(most), "none");
  EXPECT_EQ(read_encoded(most + std::string(100, 'a')), "none");
}

TEST(Basic, QuotesTheRealmOfItsChallenge) {
  EXPECT_EQ(basic_challenge("Staff only"), R"(Basic realm="Staff only", charset="UTF-8")");
  EXPECT_EQ(basic_challenge(R"(a "b" \c)"), R"(Basic realm="a \"b\" \\c", charset="UTF-8")");
}

}  // namespace
}  // namespace lockgate::wire
