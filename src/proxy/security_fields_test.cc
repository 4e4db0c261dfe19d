#include "proxy/security_fields.h"

#include <gtest/gtest.h>

#include <string>

namespace lockgate::proxy {
namespace {

using config::SecurityFields;

http::Response answer_with(int status, const http::Fields::List& fields = {}) {
  http::Response answer;
  answer.status = status;
  answer.fields.list() = fields;
  return answer;
}

std::string told(http::Response answer, SecurityFields wanted, bool https = true) {
  add_security_fields(answer, wanted, https);
  std::string text;
  for (const auto& field : answer.fields) text.append(field.name).append(": ").append(field.value) += '\n';
  return text;
}

TEST(SecurityFields, AreLeftToTheApplicationIfTheyAreOff) {
  EXPECT_EQ(told(answer_with(200), SecurityFields::off), "");
}

TEST(SecurityFields, BasicOnesForbidWhatHardlyAnyPageWants) {
  EXPECT_EQ(told(answer_with(200), SecurityFields::basic),
            "Strict-Transport-Security: max-age=31536000\n"
            "X-Content-Type-Options: nosniff\n"
            "X-Frame-Options: SAMEORIGIN\n"
            "Referrer-Policy: strict-origin-when-cross-origin\n");
}

TEST(SecurityFields, StrictOnesForbidMore) {
  EXPECT_EQ(told(answer_with(404), SecurityFields::strict),
            "Strict-Transport-Security: max-age=31536000; includeSubDomains\n"
            "X-Content-Type-Options: nosniff\n"
            "X-Frame-Options: DENY\n"
            "Referrer-Policy: same-origin\n"
            "Content-Security-Policy: default-src 'self'; base-uri 'self'; form-action 'self'; "
            "frame-ancestors 'none'; object-src 'none'\n"
            "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\n");
}

TEST(SecurityFields, NothingIsSaidOfTlsWithoutIt) {
  for (auto wanted : {SecurityFields::basic, SecurityFields::strict})
    EXPECT_FALSE(told(answer_with(200), wanted, false).contains("Strict-Transport-Security"));
}

TEST(SecurityFields, WhatTheApplicationSaysStays) {
  auto answer = answer_with(200, {{"x-frame-options", "ALLOWALL", http::FieldName::other},
                                  {"content-security-policy", "default-src *", http::FieldName::other}});
  std::string fields = told(std::move(answer), SecurityFields::strict);
  EXPECT_TRUE(fields.contains("x-frame-options: ALLOWALL\n"));
  EXPECT_TRUE(fields.contains("content-security-policy: default-src *\n"));
  EXPECT_FALSE(fields.contains("DENY"));
  EXPECT_FALSE(fields.contains("Content-Security-Policy"));
}

TEST(SecurityFields, OnlyStrictOnesHideTheProgramBehind) {
  http::Fields::List named{{"Server", "Apache/2.4.6", wire::field_name("Server")},
                           {"X-Powered-By", "PHP/5.3", http::FieldName::other}};
  EXPECT_TRUE(told(answer_with(200, named), SecurityFields::basic).contains("X-Powered-By: PHP/5.3\n"));
  std::string strict = told(answer_with(200, named), SecurityFields::strict);
  EXPECT_FALSE(strict.contains("Server: "));
  EXPECT_FALSE(strict.contains("X-Powered-By"));
}

TEST(SecurityFields, ARefreshedAnswerKeepsWhatItsApplicationHadSaid) {
  EXPECT_EQ(
      told(answer_with(304, {{"X-Powered-By", "PHP/5.3", http::FieldName::other}}), SecurityFields::strict),
      "");
}

TEST(SecurityFields, AnAnswerThatSwitchesProtocolsHasNone) {
  EXPECT_EQ(told(answer_with(101), SecurityFields::strict), "");
}

}  // namespace
}  // namespace lockgate::proxy
