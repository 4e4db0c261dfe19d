#include "tls/ocsp.h"

#include <gtest/gtest.h>

#include "tls/made_answer.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

using made::Answer;
using made::kNow;
using made::kSecondsNow;

constexpr std::int64_t kDay = 86'400;
constexpr WallTime kSecond = 1'000'000'000;

made::Signed www_of(const made::Signed& issuer, std::map<int, std::string> extensions = {}) {
  return made::certificate(
      {.common_name = "www.example.com", .names = "DNS:www.example.com", .extensions = std::move(extensions)},
      &issuer);
}

// A certificate in the middle of a chain of three, and those who might answer for it.
class Answers : public testing::Test {
 protected:
  auto check(std::string_view answer, WallTime now = kNow) {
    return check_ocsp_response(as_bytes(answer), www_.certificate.get(), issuer_.certificate.get(), now);
  }
  auto check(const Answer& answer, WallTime now = kNow) { return check(signed_by(issuer_, answer), now); }
  std::string signed_by(const made::Signed& signer, const Answer& answer = {}) {
    return made::answer_about(www_.certificate.get(), issuer_, signer, answer);
  }
  std::string refusal(const Answer& answer) {
    auto checked = check(answer);
    return checked ? "" : checked.error().why;
  }
  std::string refusal(std::string_view answer) {
    auto checked = check(answer);
    return checked ? "" : checked.error().why;
  }

  made::Signed root_ = made::certificate({.common_name = "Root", .authority = true});
  made::Signed issuer_ = made::certificate({.common_name = "Issuer", .authority = true}, &root_);
  made::Signed www_ = www_of(issuer_);
};

constexpr std::string_view kStranger = "neither the issuer signed the answer nor whom it appoints";

TEST_F(Answers, AreTakenUntilTheyExpire) {
  auto until = check(Answer{});
  ASSERT_TRUE(until) << until.error().why;
  EXPECT_EQ(*until, (kSecondsNow + 7 * kDay) * kSecond);
}

TEST_F(Answers, AreTakenFromARootToo) {
  auto direct = www_of(root_);
  auto answer = made::answer_about(direct.certificate.get(), root_, root_);
  EXPECT_TRUE(check_ocsp_response(as_bytes(answer), direct.certificate.get(), root_.certificate.get(), kNow));
}

TEST_F(Answers, MayIdentifyTheCertificateWithSha256) {
  EXPECT_TRUE(check({.digest = EVP_sha256()}));
  EXPECT_TRUE(tells(refusal({.digest = EVP_sha512()}), "about another certificate"));
}

TEST_F(Answers, ThatNameNoEndAreTakenForAnHour) {
  auto until = check({.from = kSecondsNow - 600, .until = 0});
  ASSERT_TRUE(until) << until.error().why;
  EXPECT_EQ(*until, (kSecondsNow + 3000) * kSecond);
  EXPECT_EQ(refusal(Answer{.from = kSecondsNow - 3600, .until = 0}),
            "the answer expired on 2027-01-15T08:00:00Z")
      << "or an old one could be brought up for ever";
}

TEST_F(Answers, OfRevokedAndUnknownCertificatesAreRefusedAsSuch) {
  auto revoked = check({.status = V_OCSP_CERTSTATUS_REVOKED});
  ASSERT_FALSE(revoked);
  EXPECT_TRUE(revoked.error().revoked);
  EXPECT_EQ(revoked.error().why,
            "the issuer has revoked the certificate as of 2027-01-15 (keyCompromise): have it made anew");
  auto unknown = check({.status = V_OCSP_CERTSTATUS_UNKNOWN});
  ASSERT_FALSE(unknown);
  EXPECT_FALSE(unknown.error().revoked);
  EXPECT_EQ(unknown.error().why, "the issuer does not know the certificate");
}

TEST_F(Answers, AboutAnotherCertificateAreRefused) {
  auto other = www_of(issuer_);
  EXPECT_EQ(refusal(made::answer_about(other.certificate.get(), issuer_, issuer_)),
            "the answer is about another certificate");
  auto foreign = www_of(root_);
  EXPECT_FALSE(check(made::answer_about(foreign.certificate.get(), root_, issuer_)));
}

TEST_F(Answers, SignedBySomebodyElseAreRefused) {
  auto stranger = made::certificate({.common_name = "Issuer", .authority = true});  // of the same name
  for (bool with_signer : {false, true}) {
    EXPECT_TRUE(tells(refusal(signed_by(stranger, {.with_signer = with_signer})), kStranger));
    EXPECT_TRUE(tells(refusal(signed_by(www_, {.with_signer = with_signer})), kStranger)) << "by itself";
    EXPECT_TRUE(tells(refusal(signed_by(root_, {.with_signer = with_signer})), kStranger));
  }
  auto revoked = check(signed_by(stranger, {.status = V_OCSP_CERTSTATUS_REVOKED, .with_signer = true}));
  ASSERT_FALSE(revoked);
  EXPECT_FALSE(revoked.error().revoked) << "anybody could say so";
}

TEST_F(Answers, AreTakenOfWhomTheIssuerAppoints) {
  made::Wish wish{.common_name = "Responder", .extensions = {{NID_ext_key_usage, "OCSPSigning"}}};
  EXPECT_TRUE(check(signed_by(made::certificate(wish, &issuer_), {.with_signer = true})));
  auto of_root = made::certificate(wish, &root_);
  EXPECT_TRUE(tells(refusal(signed_by(of_root, {.with_signer = true})), kStranger)) << "by another issuer";
  wish.until_day = -1, wish.from_day = -2;
  auto expired = made::certificate(wish, &issuer_);
  EXPECT_TRUE(tells(refusal(signed_by(expired, {.with_signer = true})), kStranger)) << "no longer";
  wish = {.common_name = "Server", .extensions = {{NID_ext_key_usage, "serverAuth"}}};
  auto server = made::certificate(wish, &issuer_);
  EXPECT_TRUE(tells(refusal(signed_by(server, {.with_signer = true})), kStranger)) << "for something else";
}

TEST_F(Answers, HaveTheirTime) {
  auto later = [&](std::int64_t seconds) { return Answer{.from = kSecondsNow + seconds}; };
  EXPECT_TRUE(check(later(299))) << "their clock is a little ahead";
  EXPECT_EQ(refusal(later(301)),
            "the answer is not valid before 2027-01-15T08:05:01Z: see whether the clock is right");
  auto sooner = [&](std::int64_t seconds) {
    return Answer{.from = kSecondsNow - kDay, .until = kSecondsNow + seconds};
  };
  EXPECT_TRUE(check(sooner(1)));
  EXPECT_EQ(refusal(sooner(0)), "the answer expired on 2027-01-15T08:00:00Z");
  EXPECT_EQ(refusal(Answer{.from = kSecondsNow, .until = kSecondsNow - 1}),
            "the answer has dates that are none");
  EXPECT_TRUE(check({.until = 253'402'300'799})) << "the year 9999";
}

TEST_F(Answers, ThatRefuseToAnswerAreTold) {
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_UNAUTHORIZED, nullptr);
  unsigned char* der = nullptr;
  int size = i2d_OCSP_RESPONSE(response, &der);
  std::string answer(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  EXPECT_EQ(refusal(answer), "the responder says no more than \"unauthorized\"");
}

TEST_F(Answers, ThatAreBrokenAreRefused) {
  std::string answer = signed_by(issuer_, {.with_signer = true});
  ASSERT_TRUE(check(answer));
  for (std::size_t size = 0; size < answer.size(); ++size)
    EXPECT_EQ(refusal(std::string_view(answer).substr(0, size)), "the answer is no OCSP response") << size;
  EXPECT_EQ(refusal(answer + "x"), "the answer is no OCSP response");
  EXPECT_EQ(refusal("<html><body>Log in first"), "the answer is no OCSP response");
}

TEST_F(Answers, ThatClientsWouldNotTakeAreRefused) {
  EXPECT_EQ(refusal(std::string(kLargestStaple + 1, 'x')),
            "the answer has 16001 bytes, more than clients take");
}

TEST_F(Answers, DoNotHoldWhicheverByteIsWrong) {
  std::string answer = signed_by(issuer_);
  for (std::size_t at = 0; at < answer.size(); ++at) {
    std::string wrong = answer;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x41);
    EXPECT_FALSE(check(wrong)) << at;
  }
}

TEST_F(Answers, AreAskedForByCertificateAndIssuer) {
  auto question = ocsp_request(www_.certificate.get(), issuer_.certificate.get());
  const auto* at = reinterpret_cast<const unsigned char*>(question.data());
  Owned<OCSP_REQUEST, OCSP_REQUEST_free> read(
      d2i_OCSP_REQUEST(nullptr, &at, static_cast<long>(question.size())));
  ASSERT_TRUE(read);
  ASSERT_EQ(OCSP_request_onereq_count(read.get()), 1);
  Owned<OCSP_CERTID, OCSP_CERTID_free> id(
      OCSP_cert_to_id(EVP_sha1(), www_.certificate.get(), issuer_.certificate.get()));
  EXPECT_EQ(OCSP_id_cmp(OCSP_onereq_get0_id(OCSP_request_onereq_get0(read.get(), 0)), id.get()), 0);
  EXPECT_LT(OCSP_REQUEST_get_ext_by_NID(read.get(), NID_id_pkix_OCSP_Nonce, -1), 0);
}

// What a responder's URL comes to: authority, a space, and target; empty for none.
std::string read(std::string_view url) {
  auto responder = parse_responder(url);
  return responder ? responder->authority() + " " + responder->target : "";
}

TEST(Responder, IsReadFromItsUrl) {
  EXPECT_EQ(read("http://ocsp.example.com"), "ocsp.example.com /");
  EXPECT_EQ(read("HTTP://OCSP.Example.com./a/B?c=d#e"), "ocsp.example.com /a/B?c=d");
  EXPECT_EQ(read("http://ocsp.example.com:8080?q"), "ocsp.example.com:8080 /?q");
  EXPECT_EQ(read("http://ocsp.example.com:/"), "ocsp.example.com /");
  EXPECT_EQ(read("http://192.0.2.1:80/"), "192.0.2.1 /");
  EXPECT_EQ(read("http://[2001:DB8::1]:81/x"), "[2001:db8::1]:81 /x");
  EXPECT_EQ(parse_responder("http://[2001:db8::1]:81/x")->url(), "http://[2001:db8::1]:81/x");
}

TEST(Responder, IsNoneWhereTheUrlCannotBeAsked) {
  for (const char* url :
       {"", "http://", "https://ocsp.example.com/", "ldap://x/", "http:/x", "http://:80/", "http://a:0/",
        "http://a:65536/", "http://a:8x/", "http://user@a/", "http://a b/", "http://a/\r\nHost: b",
        "http://[::1/", "http://[::1]x/", "http://[fe80::1%1]/", "http://a/\xc3\xa4", "http://1.2.3.4.5.6:x"})
    EXPECT_EQ(read(url), "") << url;
  EXPECT_EQ(read("http://a/" + std::string(3000, 'x')), "");
}

TEST(Responder, IsTheFirstThatCanBeAsked) {
  auto issuer = made::certificate({.common_name = "Issuer", .authority = true});
  EXPECT_FALSE(responder_of(www_of(issuer).certificate.get()));
  auto www = www_of(issuer, {{NID_info_access,
                              "caIssuers;URI:http://issuer.example/,OCSP;URI:https://tls.example/,"
                              "OCSP;URI:http://first.example/a,OCSP;URI:http://second.example/"}});
  auto responder = responder_of(www.certificate.get());
  ASSERT_TRUE(responder);
  EXPECT_EQ(responder->url(), "http://first.example/a");
}

TEST(MustStaple, IsAFeatureOfTheCertificate) {
  auto issuer = made::certificate({.common_name = "Issuer", .authority = true});
  EXPECT_FALSE(must_be_stapled(www_of(issuer).certificate.get()));
  EXPECT_TRUE(must_be_stapled(www_of(issuer, {{NID_tlsfeature, "status_request"}}).certificate.get()));
  EXPECT_FALSE(must_be_stapled(www_of(issuer, {{NID_tlsfeature, "status_request_v2"}}).certificate.get()));
}

}  // namespace
}  // namespace lockgate::tls
