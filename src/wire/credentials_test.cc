#include "wire/credentials.h"

#include <gtest/gtest.h>

namespace lockgate::wire {
namespace {

using namespace std::string_literals;

/// "USER|PASSWORD", or what is wrong.
std::string read(const std::string& file) {
  auto credentials = read_credentials(file);
  return credentials ? credentials->user + "|" + credentials->password : credentials.error();
}

TEST(Credentials, AreOneLine) {
  EXPECT_EQ(read("user:secret"), "user|secret");
  EXPECT_EQ(read("user:secret\n"), "user|secret");
  EXPECT_EQ(read("user:secret\r\n"), "user|secret");
  EXPECT_EQ(read("user:a:b"), "user|a:b");
  EXPECT_EQ(read("user:"), "user|");
}

TEST(Credentials, AreKeptAsTheyAre) {
  EXPECT_EQ(read(" u ser : \xc3\xa9 #\n"), " u ser | \xc3\xa9 #");
  EXPECT_EQ(read("us\xfcr:\x80"), "us\xfcr|\x80");
}

TEST(Credentials, ThatCannotBeAreToldInWordsWithoutThem) {
  EXPECT_EQ(read(""), "is empty; it has to hold one line, user:password");
  EXPECT_EQ(read("\n"), "is empty; it has to hold one line, user:password");
  EXPECT_EQ(read("hunter2"), "has no colon between user and password");
  EXPECT_EQ(read(":hunter2"), "has no user in front of the colon");
  EXPECT_EQ(read("a:hunter2\n\n"), "has more than one line; it has to hold one, user:password");
  EXPECT_EQ(read("a:hunter2\nb:hunter2"), "has more than one line; it has to hold one, user:password");
  for (const auto& file : {"a:hun\tter"s, "a:hun\0ter"s, "a\r:hunter"s, "a:hunter\x7f"s}) {
    EXPECT_EQ(read(file),
              "has a control character in it, such as a tab or a NUL, which no user or password has");
  }
  EXPECT_EQ(read("\xef\xbb\xbfu:p"), "begins with a byte order mark; save it without one");
  EXPECT_EQ(read("u:" + std::string(kLongestCredentials - 2, 'x')).size(), kLongestCredentials);
  EXPECT_EQ(read("u:" + std::string(kLongestCredentials - 1, 'x')), "is longer than 1024 bytes");
}

TEST(WithoutCredentials, ReplacesThemInAllForms) {
  auto hidden = [](std::string_view text) {
    return without_credentials(text, "Aladdin", "open sesame", false);
  };
  EXPECT_EQ(hidden("Aladdin said open sesame, and open"), "*** said ***, and open");
  EXPECT_EQ(hidden("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Basic ***==");
  EXPECT_EQ(hidden("AladdinAladdin:open sesame"), "******:***");
  EXPECT_EQ(hidden("aladdin"), "aladdin");
  EXPECT_EQ(hidden(""), "");
}

TEST(WithoutCredentials, KnowsThemWithFewerSpaces) {
  EXPECT_EQ(without_credentials("u: a b, a  b", "u", "  a  b ", false), "***: ***, a  b");
  EXPECT_EQ(without_credentials("is   a  b .", "u", "  a  b ", false), "is ***.");
  EXPECT_EQ(without_credentials("a b", "u", "  ", false), "a b");
}

TEST(WithoutCredentials, TakesTheLongestOfThem) {
  EXPECT_EQ(without_credentials("secretary secret", "secret", "secretary", false), "*** ***");
  EXPECT_EQ(without_credentials("secretary secret", "secretary", "secret", false), "*** ***");
}

TEST(WithoutCredentials, TakesTheirBeginningOffACutEnd) {
  EXPECT_EQ(without_credentials("it was open ses", "Aladdin", "open sesame", true), "it was ");
  EXPECT_EQ(without_credentials("Basic QWxhZ", "Aladdin", "open sesame", true), "Basic ");
  EXPECT_EQ(without_credentials("xyzz", "xyz", "zq", true), "***");
  EXPECT_EQ(without_credentials("open sesame and A", "Aladdin", "open sesame", false), "*** and A");
}

TEST(WithoutCredentials, LeavesTextAloneIfThereAreNone) {
  EXPECT_EQ(without_credentials("Og== a:b", "", "", true), "Og== a:b");
  EXPECT_EQ(without_credentials("token t", "t", "", false), "***oken ***");
}

}  // namespace
}  // namespace lockgate::wire
