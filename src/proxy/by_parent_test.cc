#include "proxy/by_parent.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using http::FieldName;

const wire::Credentials kJane{"jane", "s3cret"};

struct Refusal {
  std::optional<Error> error;
  std::string said;
};

Refusal refusal_by(int status, std::string_view reason, const http::Fields::List& fields = {},
                   const wire::Credentials* credentials = nullptr) {
  http::Response answer;
  answer.status = status;
  answer.reason = reason;
  answer.fields.list() = fields;
  Refusal refusal;
  refusal.error = refusal_of_parent(answer, credentials, refusal.said);
  return refusal;
}

TEST(ByParent, WhatTheEndpointAnswersIsNoRefusal) {
  for (int status : {200, 302, 404, 500, 503}) EXPECT_FALSE(refusal_by(status, "x").error) << status;
  EXPECT_FALSE(refusal_by(200, "OK", {{"Proxy-Status", "p; error=dns_error", FieldName::other}}).error);
}

TEST(ByParent, AParentThatWantsALoginIsTheParentsRefusal) {
  auto refusal = refusal_by(407, "Login, please");
  ASSERT_TRUE(refusal.error);
  EXPECT_EQ(refusal.error->side, Side::parent);
  EXPECT_EQ(refusal.error->code, Errc::refused);
  EXPECT_EQ(refusal.said, "407 Login, please; it wants a user and a password");
}

TEST(ByParent, ALoginThatIsNotAcceptedIsToldWithoutItsWords) {
  auto refusal = refusal_by(407, "no jane:s3cret here", {}, &kJane);
  EXPECT_EQ(refusal.said, "407 no ***:*** here; it does not accept this user and password");
}

TEST(ByParent, ALoginOfAnotherKindIsTold) {
  auto refusal = refusal_by(407, "No", {{"Proxy-Authenticate", "Negotiate, NTLM", FieldName::other}}, &kJane);
  EXPECT_EQ(refusal.said, "407 No; it wants a login by Negotiate or NTLM, and Lockgate knows Basic only");
}

TEST(ByParent, AnEndpointThatTheParentCannotReachIsToldByItsCause) {
  auto by_squid = refusal_by(503, "Unavailable", {{"X-Squid-Error", "ERR_DNS_FAIL 0", FieldName::other}});
  ASSERT_TRUE(by_squid.error);
  EXPECT_EQ(by_squid.error->code, Errc::unresolved);
  EXPECT_EQ(by_squid.said, "503 Unavailable (ERR_DNS_FAIL)");
  auto by_rfc = refusal_by(504, "", {{"Proxy-Status", "p; error=connection_timeout", FieldName::other}});
  ASSERT_TRUE(by_rfc.error);
  EXPECT_EQ(by_rfc.error->code, Errc::timed_out);
}

TEST(ByParent, TheParentIsToldWhereTheEndpointIs) {
  auto authority = [](const std::string& host, std::uint16_t port) {
    http::Request request;
    Arena arena;
    Target target;
    target.far_host = host;
    target.far_port = port;
    address_by_parent(request, target, arena);
    return std::string(request.scheme) + "://" + std::string(request.authority);
  };
  EXPECT_EQ(authority("app.example", 80), "http://app.example");
  EXPECT_EQ(authority("app.example", 8080), "http://app.example:8080");
  EXPECT_EQ(authority("2001:db8::1", 8080), "http://[2001:db8::1]:8080");
}

}  // namespace
}  // namespace lockgate::proxy
