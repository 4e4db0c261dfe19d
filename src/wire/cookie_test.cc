#include "wire/cookie.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lockgate::wire {
namespace {

std::string all_of(std::string_view cookies) {
  std::string text;
  while (auto cookie = take_cookie(cookies)) {
    text += "[" + std::string(cookie->name) + "|" + std::string(cookie->value) + "]";
  }
  return text;
}

TEST(Cookie, TakesOneAfterTheOther) {
  EXPECT_EQ(all_of("a=1; b=2;c=3 ;\td = 4"), "[a|1][b|2][c|3][d|4]");
  EXPECT_EQ(all_of("JSESSIONID=0A1B.node1"), "[JSESSIONID|0A1B.node1]");
  EXPECT_EQ(all_of("saplb_*=(J2EE7036620)7036650"), "[saplb_*|(J2EE7036620)7036650]");
}

TEST(Cookie, TakesWhatNobodyShouldWrite) {
  EXPECT_EQ(all_of(""), "");
  EXPECT_EQ(all_of(" ; ;;\t"), "");
  EXPECT_EQ(all_of("alone; =value; name=; a=b=c"), "[|alone][|value][name|][a|b=c]");
  EXPECT_EQ(all_of("a=\"x y\"; b=\"; c=\"\""), "[a|x y][b|\"][c|]");
  EXPECT_EQ(all_of("a=1; a=2"), "[a|1][a|2]");
}

TEST(Cookie, OfAnAnswerHasAttributesBehindIt) {
  Cookie cookie = cookie_set_by("JSESSIONID=\"0A1B.node1\"; Path=/shop; HttpOnly");
  EXPECT_EQ(cookie.name, "JSESSIONID");
  EXPECT_EQ(cookie.value, "0A1B.node1");
  EXPECT_EQ(cookie_set_by("a=1").value, "1");
  EXPECT_EQ(cookie_set_by("; Path=/").name, "");
}

TEST(Cookie, IsTakenOutWhereverItStands) {
  Arena arena;
  for (const auto& [cookies, left] :
       std::vector<std::pair<std::string, std::string>>{{"gate=1", ""},
                                                        {"gate=1; a=2; b=3", "a=2; b=3"},
                                                        {"a=2; gate=1; b=3", "a=2; b=3"},
                                                        {"a=2; b=3; gate=1", "a=2; b=3"},
                                                        {"gate=1;gate=2; a=\"x\"", "a=\"x\""},
                                                        {" gate = 1 ;;a=2", "a=2"}}) {
    EXPECT_EQ(without_cookie(cookies, "gate", arena), left) << cookies;
  }
}

TEST(Cookie, IsLeftAsItIsIfItIsAnother) {
  Arena arena;
  std::string cookies = "a=1;; gates=2; Gate=3";
  EXPECT_EQ(without_cookie(cookies, "gate", arena).data(), cookies.data());
}

TEST(PathParameter, IsFoundInEverySegment) {
  std::string text;
  for (std::string_view path = "/shop;v=1;jsessionid=0A1B.node1/x;alone/y?";
       auto one = take_path_parameter(path);) {
    text += "[" + std::string(one->name) + "|" + std::string(one->value) + "]";
  }
  EXPECT_EQ(text, "[v|1][jsessionid|0A1B.node1][|alone]");
  std::string_view plain = "/shop";
  EXPECT_FALSE(take_path_parameter(plain));
}

TEST(CookieName, MayBeThatOfManyBeginningAlike) {
  EXPECT_TRUE(is_wanted("JSESSIONID", "JSESSIONID"));
  EXPECT_FALSE(is_wanted("jsessionid", "JSESSIONID"));
  EXPECT_FALSE(is_wanted("JSESSIONID2", "JSESSIONID"));
  EXPECT_TRUE(is_wanted("saplb_*", "saplb_*"));
  EXPECT_TRUE(is_wanted("saplb_PORTAL", "saplb_*"));
  EXPECT_FALSE(is_wanted("saplb", "saplb_*"));
}

}  // namespace
}  // namespace lockgate::wire
