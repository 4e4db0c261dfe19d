#include "proxy/sign_up.h"

#include <gtest/gtest.h>

#include "proxy/sign_up_page.h"

namespace lockgate::proxy {
namespace {

bool is_own(std::string_view name, std::string_view value) {
  http::Request request;
  request.fields.add(name, value, http::FieldName::other);
  return is_from_own_page(request, "https", "app.test");
}

TEST(SignUp, TakesFormsOfItsOwnPageOnly) {
  EXPECT_TRUE(is_own("X-Other", ""));
  EXPECT_TRUE(is_own("Origin", "https://APP.test"));
  for (const char* origin : {"null", "", "http://app.test", "https://app.test:8443", "https://app.test.evil",
                             "https://evil.test", "httpsapp.test"})
    EXPECT_FALSE(is_own("Origin", origin)) << origin;
  EXPECT_TRUE(is_own("Sec-Fetch-Site", "same-origin"));
  EXPECT_FALSE(is_own("Sec-Fetch-Site", "same-site"));
  EXPECT_FALSE(is_own("sec-fetch-site", "cross-site"));
}

TEST(SignUp, FilledInTextStaysText) {
  std::string page = sign_up_page({.sentence = "a<b", .name = "\"><script>", .remark = "'&"});
  EXPECT_NE(page.find("a&lt;b"), page.npos);
  EXPECT_NE(page.find("value=\"&quot;&gt;&lt;script&gt;\""), page.npos);
  EXPECT_NE(page.find("value=\"&#39;&amp;\""), page.npos);
  EXPECT_EQ(page.find("<script"), page.npos);
}

}  // namespace
}  // namespace lockgate::proxy
