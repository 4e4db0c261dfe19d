#include "wire/http_date.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::wire {
namespace {

constexpr WallTime kSecond = 1'000'000'000, kThen = 784111777 * kSecond, kNow = 1'795'000'000 * kSecond;

TEST(HttpDate, IsWrittenInItsFixedForm) {
  EXPECT_EQ(HttpDate(kThen).text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(kThen + kSecond - 1).text(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(0).text(), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(HttpDate(-1).text(), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(HttpDate(951782400 * kSecond).text(), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(HttpDate, IsReadInAllThreeForms) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(read_http_date(text, kNow), kThen) << text;
  }
  EXPECT_EQ(read_http_date("Fri Nov 16 08:49:37 1994", kNow), kThen + 10 * 86400 * kSecond);
}

TEST(HttpDate, HasAYearOfTwoDigitsNearNow) {
  auto year = [](const char* text) {
    auto time = read_http_date(text, kNow);
    return time ? std::string(HttpDate(*time).text().substr(12, 4)) : "none";
  };
  EXPECT_EQ(year("Sunday, 06-Nov-26 08:49:37 GMT"), "2026");
  EXPECT_EQ(year("Sunday, 06-Nov-76 08:49:37 GMT"), "2076");
  EXPECT_EQ(year("Sunday, 06-Nov-77 08:49:37 GMT"), "1977");
}

TEST(HttpDate, IsReadBackAsItWasWritten) {
  for (WallTime time = 0; time < 4'000'000'000 * kSecond; time += 77'777'777 * kSecond)
    EXPECT_EQ(read_http_date(HttpDate(time).text(), kNow), time);
}

TEST(HttpDate, IsNothingElse) {
  for (const char* text :
       {"", "0", "-1", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 9999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "unM, 06 Nov 1994 08:49:37 GMT", "Sund, 06-Nov-94 08:49:37 GMT", "Sun Nov 06 08:49:37 94",
        "Sun, 06 Nov 0000 08:49:37 GMT"}) {
    EXPECT_FALSE(read_http_date(text, kNow)) << text;
  }
}

}  // namespace
}  // namespace lockgate::wire
