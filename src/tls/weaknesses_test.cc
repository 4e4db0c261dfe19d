#include "tls/weaknesses.h"

#include <gtest/gtest.h>

#include "tls/made_certificate.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

using made::key_pem;
using made::kNow;
using made::pem;

constexpr WallTime kDay = 86'400'000'000'000;

made::Signed issuer() {
  static auto root = made::certificate({.common_name = "Root", .authority = true});
  return made::certificate({.common_name = "Issuer", .authority = true}, &root);
}

SharedIdentity identity(const std::string& certificates, const made::Signed& leaf) {
  auto found = parse_pem(certificates, key_pem(leaf), "");
  EXPECT_TRUE(found) << found.error();
  return found.value_or(nullptr);
}

std::vector<std::string> of(made::Wish wish, WallTime now = kNow) {
  auto authority = issuer();
  if (wish.common_name.empty()) wish.common_name = "a.example.test";
  if (wish.names.empty()) wish.names = "DNS:a.example.test";
  auto leaf = made::certificate(wish, &authority);
  return weaknesses(*identity(pem(leaf) + pem(authority), leaf), now);
}

TEST(Weaknesses, AreNoneOfAGoodIdentity) { EXPECT_EQ(of({}), Strings()); }

TEST(Weaknesses, AreDatesThatEndOrHaveNotBegun) {
  EXPECT_EQ(of({.until_day = 15}), Strings());
  EXPECT_TRUE(tell(of({.until_day = 14}), {"the certificate expires in 14 days, on 2027-01-29: renew it"}));
  EXPECT_TRUE(tell(of({.until_day = 1}), {"expires in 1 day, on"}));
  EXPECT_TRUE(tell(of({.until_day = 1}, kNow + 1'000'000'000), {"expires within a day"}));
  EXPECT_TRUE(tell(of({.until_day = 1}, kNow + kDay), {"expires within a day"}));
  EXPECT_TRUE(
      tell(of({.until_day = 1}, kNow + kDay + 1), {"the certificate expired on 2027-01-16: renew it"}));
  EXPECT_TRUE(tell(of({.from_day = 1}), {"not valid before 2027-01-16T08:00:00Z"}));
}

TEST(Weaknesses, CountWholeDays) {
  auto leaf = made::certificate({.common_name = "a.example.test", .until_day = 10});
  auto found = identity(pem(leaf), leaf);
  EXPECT_EQ(days_left(*found, kNow), 10);
  EXPECT_EQ(days_left(*found, kNow + 1'000'000'000), 9);
  EXPECT_EQ(days_left(*found, kNow + 10 * kDay), 0);
  EXPECT_EQ(days_left(*found, kNow + 10 * kDay + 1'000'000'000), -1);
  EXPECT_EQ(days_left(*found, INT64_MAX) < 0, true);
  EXPECT_EQ(days_left(*found, INT64_MIN) > 0, true);
}

TEST(Weaknesses, AreWantsThatNobodyCanMeet) {
  std::map<int, std::string> wants = {{NID_tlsfeature, "status_request"}};
  EXPECT_TRUE(tell(of({.extensions = wants}), {"names no responder that can be asked by http"}));
  wants[NID_info_access] = "OCSP;URI:http://ocsp.example.test/";
  EXPECT_EQ(of({.extensions = wants}), Strings());
  auto authority = issuer();
  auto leaf = made::certificate(
      {.common_name = "a.example.test", .names = "DNS:a.example.test", .extensions = wants}, &authority);
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf), leaf), kNow),
                   {"the chain is incomplete", "cannot be had without the issuer's certificate"}));
}

TEST(Weaknesses, AreChainsThatClientsCannotFollow) {
  auto authority = issuer();
  auto leaf = made::certificate({.common_name = "a.example.test", .names = "DNS:a.example.test"}, &authority);
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf), leaf), kNow),
                   {"the certificate of the issuer, CN=Issuer, is missing"}));
  EXPECT_TRUE(tell(weaknesses(*identity(pem(authority) + pem(leaf), leaf), kNow), {"out of order"}));
  auto stranger = made::certificate({.common_name = "Stranger"});
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf) + pem(authority) + pem(stranger), leaf), kNow),
                   {"are not sent: CN=Stranger"}));
  auto alone = made::certificate({.names = "DNS:a.example.test"});
  EXPECT_TRUE(tell(weaknesses(*identity(pem(alone), alone), kNow), {"self-signed"}));
}

TEST(Weaknesses, AreIssuersThatExpired) {
  auto root = made::certificate({.common_name = "Root", .authority = true});
  auto old = made::certificate({.common_name = "Issuer", .authority = true, .until_day = -1}, &root);
  auto leaf = made::certificate({.common_name = "a.example.test", .names = "DNS:a.example.test"}, &old);
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf) + pem(old), leaf), kNow),
                   {"CN=Issuer in the chain expired on 2027-01-14"}));
}

TEST(Weaknesses, AreShortKeysAndOldDigests) {
  auto authority = issuer();
  auto leaf = made::certificate(
      {.common_name = "a.example.test", .names = "DNS:a.example.test", .digest = EVP_sha1()}, &authority,
      made::rsa(1024));
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf) + pem(authority), leaf), kNow),
                   {"an RSA key of 1024 bits", "signed with SHA-1"}));
}

TEST(Weaknesses, AreNamesThatNobodyAsksFor) {
  EXPECT_TRUE(tell(of({.names = "email:a@b.example"}), {"is for no name"}));
  auto authority = issuer();
  auto leaf = made::certificate({.common_name = "a.example.test"}, &authority);
  EXPECT_TRUE(tell(weaknesses(*identity(pem(leaf) + pem(authority), leaf), kNow),
                   {"has a.example.test as common name only"}));
}

}  // namespace
}  // namespace lockgate::tls
