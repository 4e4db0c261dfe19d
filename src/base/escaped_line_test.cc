#include "base/escaped_line.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate {
namespace {

std::string value_as_written(std::string_view value) {
  EscapedLine line;
  line.value(value);
  std::string written(line.line());
  EXPECT_TRUE(written.ends_with('\n'));
  written.pop_back();
  return written;
}

TEST(EscapedLine, WritesTextAsItIsAndAHyphenForNothing) {
  EscapedLine line;
  line.text("\"a\\\" ");
  line.value("plain /text?x=1");
  line.text("\t");
  line.value("");
  EXPECT_EQ(line.line(), "\"a\\\" plain /text?x=1\t-\n");
}

TEST(EscapedLine, LetsNoValueEndALineOrAQuotedPart) {
  EXPECT_EQ(value_as_written("a\"b"), R"(a\x22b)");
  EXPECT_EQ(value_as_written("a\\b"), R"(a\x5cb)");
  EXPECT_EQ(value_as_written("a\nb\r\t"), R"(a\x0ab\x0d\x09)");
  EXPECT_EQ(value_as_written(std::string_view("\0\x1b[2J\x7f", 6)), R"(\x00\x1b[2J\x7f)");
  EXPECT_EQ(value_as_written("\xc3\xa4"), R"(\xc3\xa4)");
  for (int i = 0; i < 256; ++i) {
    std::string written = value_as_written(std::string(1, static_cast<char>(i)));
    for (char c : written) EXPECT_TRUE(c >= ' ' && c < 0x7f && c != '"') << i;
  }
}

TEST(EscapedLine, CutsValuesThatAreTooLong) {
  std::string written = value_as_written(std::string(100'000, 'a'));
  EXPECT_LE(written.size(), EscapedLine::kLongestValue);
  EXPECT_GT(written.size(), EscapedLine::kLongestValue - 8);
  EXPECT_TRUE(written.ends_with("aaa..."));
  written = value_as_written(std::string(100'000, '\x01'));
  EXPECT_LE(written.size(), EscapedLine::kLongestValue);
  EXPECT_TRUE(written.ends_with("\\x01..."));
}

TEST(EscapedLine, EndsWithANewlineHoweverMuchItIsGiven) {
  EscapedLine line;
  for (int i = 0; i < 100; ++i) {
    line.value(std::string(3000, '"'));
    line.text(" and ");
    line.value("");
  }
  std::string_view written = line.line();
  EXPECT_LE(written.size(), EscapedLine::kLongest);
  EXPECT_EQ(written.find('\n'), written.size() - 1);
}

}  // namespace
}  // namespace lockgate
