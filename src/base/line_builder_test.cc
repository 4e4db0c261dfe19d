#include "base/line_builder.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate {
namespace {

TEST(LineBuilder, WritesTextAsKeyAndValue) {
  LineBuilder builder(LineFormat::text);
  builder.time("time", 1'700'000'000'123'000'000);
  builder.field("name", "app.example.org");
  builder.field("bytes", std::uint64_t{18446744073709551615U});
  builder.field("ms", 1.5);
  builder.optional("none", "");
  EXPECT_EQ(builder.line(),
            "time=2023-11-14T22:13:20.123Z name=app.example.org bytes=18446744073709551615 ms=1.500\n");
}

TEST(LineBuilder, WritesTheSameAsJson) {
  LineBuilder builder(LineFormat::json);
  builder.field("name", "a b");
  builder.field("n", std::uint64_t{7});
  builder.field("ech", true);
  EXPECT_EQ(builder.line(), "{\"name\":\"a b\",\"n\":7,\"ech\":true}\n");
}

TEST(LineBuilder, LetsNoValueForgeAFieldOrALine) {
  LineBuilder builder(LineFormat::text);
  builder.field("a", "x outcome=finished");
  builder.field("b", std::string_view("1\n2\r\0\x7f", 6));
  builder.field("c", "say \"hi\" \\");
  builder.field("d", "");
  EXPECT_EQ(
      builder.line(),
      "a=\"x outcome=finished\" b=\"1\\u000a2\\u000d\\u0000\\u007f\" c=\"say \\\"hi\\\" \\\\\" d=\"\"\n");
}

TEST(LineBuilder, KeepsUtf8AndReplacesWhatIsNot) {
  LineBuilder builder(LineFormat::json);
  builder.field("good", "\u00e9\u20ac\U0001f600");
  builder.field("bad", "\xff\xc0\xaf\xed\xa0\x80\xe2\x82");
  EXPECT_EQ(builder.line(),
            "{\"good\":\"\u00e9\u20ac\U0001f600\",\"bad\":"
            "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"}\n");
}

TEST(LineBuilder, EscapesWhatWouldMoveATerminal) {
  LineBuilder builder(LineFormat::text);
  builder.field("a", "\x1b[2J");
  builder.field("b", "\u0080\u009b2J\u009f\u00a0");
  EXPECT_EQ(builder.line(), "a=\"\\u001b[2J\" b=\"\\u0080\\u009b2J\\u009f\u00a0\"\n");
}

TEST(LineBuilder, LeavesOutWhatDoesNotFitAndSaysSo) {
  LineBuilder builder(LineFormat::json);
  builder.field("long", std::string(5000, 'x'));
  builder.field("short", "y");
  EXPECT_EQ(builder.line(), "{\"short\":\"y\",\"cut\":true}\n");
}

TEST(LineBuilder, CutsASentenceShortAtEveryLength) {
  int whole = 0, cut = 0;
  for (std::size_t size = 3900; size < 4200; ++size) {
    LineBuilder builder(LineFormat::json);
    builder.field("level", "info");
    builder.sentence("message", std::string(size, 'x') + "\n" + std::string(20, 'y'));
    std::string_view line = builder.line();
    ASSERT_LE(line.size(), LineBuilder::kLongest);
    ASSERT_TRUE(line.starts_with(R"({"level":"info","message":"xxx)")) << size;
    constexpr std::string_view kWhole = "yyyyy\"}\n", kCut = "\",\"cut\":true}\n";
    if (line.ends_with(kWhole)) {
      ++whole;
    } else {
      ++cut;
      ASSERT_TRUE(line.ends_with(kCut)) << size;
      char last = line[line.size() - kCut.size() - 1];
      ASSERT_TRUE(last == 'x' || last == 'a' || last == 'y') << "an escape was cut in two at " << size;
    }
  }
  EXPECT_GT(whole, 100);
  EXPECT_GT(cut, 100);
}

TEST(LineBuilder, LeavesOutASentenceThatHasNoRoomAtAll) {
  for (std::size_t size = 4000; size < 4096; ++size) {
    LineBuilder builder(LineFormat::json);
    builder.field("a", std::string(size, 'x'));
    builder.sentence("m", "yyy");
    std::string line(builder.line());
    bool sound = line.ends_with("\"m\":\"yyy\"}\n") || line.ends_with("y\",\"cut\":true}\n") ||
                 line.ends_with("x\",\"cut\":true}\n") || line.ends_with("\"m\":\"\",\"cut\":true}\n");
    ASSERT_TRUE(sound) << size << line.substr(line.size() - 40);
  }
}

TEST(LineBuilder, ShortensAValueAndLeavesRoomForWhatFollows) {
  for (LineFormat format : {LineFormat::text, LineFormat::json}) {
    for (char c : {'a', '"', '\x01', '\xff', ' '}) {
      LineBuilder builder(format);
      builder.shortened("first", std::string(100'000, c), 1000);
      builder.shortened("none", "", 1000);
      builder.field("second", "there");
      std::string_view line = builder.line();
      EXPECT_TRUE(line.contains("second")) << line;
      EXPECT_TRUE(line.contains("cut")) << line;
      EXPECT_FALSE(line.contains("none")) << line;
      EXPECT_GT(line.size(), 950u) << line;
      EXPECT_LT(line.size(), 1100u) << line;
    }
  }
  LineBuilder builder(LineFormat::text);
  builder.shortened("first", "short", 5);
  builder.shortened("second", "two words", 100);
  EXPECT_EQ(builder.line(), "first=short second=\"two words\"\n");
}

}  // namespace
}  // namespace lockgate
