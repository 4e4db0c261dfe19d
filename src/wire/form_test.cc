#include "wire/form.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::wire {
namespace {

// "name=value|..." of what is read; "none" if it is no form.
std::string read(std::string text) {
  auto form = read_form(text);
  if (!form) return "none";
  std::string told;
  for (const FormField& field : *form) told += std::string(field.name) + "=" + std::string(field.value) + "|";
  return told;
}

TEST(Form, ReadsWhatBrowsersSend) {
  EXPECT_EQ(read("name=ann&remark=a+b%26c%3D%C3%BC"), "name=ann|remark=a b&c=ü|");
  EXPECT_EQ(read("a=&b=1"), "a=|b=1|");
  EXPECT_EQ(read("a=b=c"), "a=b=c|");
  EXPECT_EQ(read("a%3d=%2b"), "a==+|");
  EXPECT_EQ(read(""), "");
}

TEST(Form, RefusesWhatNoBrowserSends) {
  for (const char* text : {"a", "=1", "a=1&", "&a=1", "a=1&&b=2", "a=%", "a=%4", "a=%4g", "a=b c", "a=\x01",
                           "a=\xc3\xbc", "a=1&a=2", "a=1&%61=2"})
    EXPECT_EQ(read(text), "none") << text;
}

TEST(Form, RefusesWhatIsNoUtf8) {
  EXPECT_EQ(read("a=%ff"), "none");
  EXPECT_EQ(read("a=%c3"), "none");
  EXPECT_EQ(read("a=%c0%af"), "none");
}

TEST(Form, HasABoundedNumberOfFields) {
  std::string text = "f0=";
  for (std::size_t i = 1; i < kMostFormFields; ++i) text += "&f" + std::to_string(i) + "=";
  EXPECT_NE(read(text), "none");
  EXPECT_EQ(read(text + "&more="), "none");
}

TEST(Form, GivesValuesByTheirNames) {
  std::string text = "a=1&b=2";
  auto form = read_form(text);
  ASSERT_TRUE(form);
  EXPECT_EQ(value_of(*form, "b"), "2");
  EXPECT_EQ(value_of(*form, "c"), "");
}

}  // namespace
}  // namespace lockgate::wire
