#include "wire/page_text.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

TEST(PageText, OfPlainTextIsTheText) {
  EXPECT_EQ(page_text("Access denied."), "Access denied.");
  EXPECT_EQ(page_text("  Access \r\n\t denied\n"), "Access denied");
  EXPECT_EQ(page_text("1 < 2 & 3 > 2"), "1 < 2 & 3 > 2");
  EXPECT_EQ(page_text(""), "");
}

TEST(PageText, OfHtmlIsItsSentencesTitleFirst) {
  EXPECT_EQ(page_text("<html><body><h1>Denied</h1><p>Ask <b>the</b> admin<br>now!</p>So</body>"),
            "Denied. Ask the admin. now! So");
  EXPECT_EQ(page_text("<p>first</p><TITLE lang='x'>The\ntitle:</TITLE>"), "The title: first");
}

TEST(PageText, LeavesOutWhatIsNotForPeople) {
  EXPECT_EQ(page_text("<!DOCTYPE html><style>p { a: b }</style><Script>if (1 < 2) alert('</b>')</sCRIPT>a"),
            "a");
  EXPECT_EQ(page_text("<!-- no > no --><?xml?>a<!-->b"), "a");
  EXPECT_EQ(page_text("a<script>never ends"), "a");
  EXPECT_EQ(page_text("a<p class='never ends"), "a");
  EXPECT_EQ(page_text("a<!-- never ends"), "a");
}

// The beginning of Squid's page; what it says comes behind three headings that say the same.
TEST(PageText, DoesNotRepeatItself) {
  EXPECT_EQ(
      page_text("<title>ERROR: The requested URL could not be retrieved</title></head><body>"
                "<div id=\"titles\">\n<h1>ERROR</h1>\n<h2>The requested URL could not be retrieved</h2>\n"
                "</div><blockquote id=\"error\"><p><b>Access Denied.</b></p></blockquote>"),
      "ERROR: The requested URL could not be retrieved. Access Denied.");
}

TEST(PageText, ReadsEntities) {
  EXPECT_EQ(page_text("&lt;a&gt; &amp;amp; &quot;b&#39;&apos;&nbsp;c"), "<a> &amp; \"b'' c");
  EXPECT_EQ(page_text("&#233;&#xE9;&#x20ac;&#128512;"), "\xc3\xa9\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(page_text("&unknown; &; &# &#; &#x; &#xd800; &#1114112; &#-1; &#1x;"),
            "&unknown; &; &# &#; &#x; &#xd800; &#1114112; &#-1; &#1x;");
}

TEST(PageText, LosesHalfAnEntityWhereThePageIsCut) {
  EXPECT_EQ(page_text("a &am", true), "a");
  EXPECT_EQ(page_text("a&", true), "a");
  EXPECT_EQ(page_text("a&amp;b", true), "a&b");
  EXPECT_EQ(page_text("R&D", false), "R&D");
  EXPECT_EQ(page_text("cats & dogs and so on", true), "cats & dogs and so on");
}

TEST(PageText, HasNothingThatMovesATerminal) {
  EXPECT_EQ(page_text("a\x1b[31mb\x07\x7f"s), "a [31mb");
  EXPECT_EQ(page_text("a\xc2\x9b"
                      "31mb&#27;&#x9b;c\0d"s),
            "a 31mb c d");
}

TEST(PageText, KeepsUtf8AndNothingThatOnlyLooksLikeIt) {
  EXPECT_EQ(page_text("verweigert f\xc3\xbcr \xe2\x82\xac"), "verweigert f\xc3\xbcr \xe2\x82\xac");
  EXPECT_EQ(page_text("f\xfcr\xc3"), "f?r?");
}

TEST(PageText, IsNeverLongerThanThePage) {
  for (std::string_view page : {"a<p>b<p>c", "a<b>b", "<p>&#x10ffff;<p>\xff<br>\xff", "&lt&lt;", "<i>a<a>"}) {
    for (std::size_t size = 0; size <= page.size(); ++size) {
      EXPECT_LE(page_text(page.substr(0, size)).size(), size) << page.substr(0, size);
    }
  }
}

TEST(Shortened, EndsInDotsAndBetweenCharacters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("ab\xc3\xa9"
                      "defg",
                      6),
            "ab...");
  EXPECT_EQ(shortened("abc", 2), "..");
  EXPECT_EQ(shortened("abc", 0), "");
}

}  // namespace
}  // namespace lockgate::wire
