#include "proxy/request_id.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::proxy {
namespace {

using config::RequestId;

std::optional<std::string_view> given(std::string_view id, RequestId taken = RequestId::any,
                                      bool through_proxy = false) {
  http::Request request;
  request.fields.add(http::FieldName::x_request_id, id);
  return given_id(request, taken, through_proxy);
}

TEST(RequestId, IsTakenFromWhomTheOperatorTrusts) {
  EXPECT_EQ(given("a-1", RequestId::any), "a-1");
  EXPECT_EQ(given("a-1", RequestId::trusted, true), "a-1");
  EXPECT_FALSE(given("a-1", RequestId::trusted, false));
  EXPECT_FALSE(given("a-1", RequestId::never, true));
}

TEST(RequestId, IsTakenInASafeFormOnly) {
  EXPECT_TRUE(given("0aZ._~:+/=@-"));
  EXPECT_TRUE(given(std::string(128, 'x')));
  for (const std::string& id : {std::string(129, 'x'), std::string(), std::string("a b"), std::string("a\"b"),
                                std::string("a<b"), std::string("a%0a"), std::string("\xc3\xa4")})
    EXPECT_FALSE(given(id)) << id;
}

TEST(RequestId, IsNotChosenAmongTwo) {
  http::Request request;
  EXPECT_FALSE(given_id(request, RequestId::any, true));
  request.fields.add(http::FieldName::x_request_id, "one");
  request.fields.add(http::FieldName::x_request_id, "two");
  EXPECT_FALSE(given_id(request, RequestId::any, true));
}

TEST(RequestId, IsMadeOfTheNumbersOfConnectionAndRequest) {
  Arena arena;
  EXPECT_EQ(made_id(255, 1, arena), "ff-1");
}

}  // namespace
}  // namespace lockgate::proxy
