#include "tls/describe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tls/made_certificate.h"
#include "tls/made_folder.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

using made::key_pem;
using made::kNow;
using made::pem;
using Json = nlohmann::ordered_json;

std::string testdata(const std::string& name) { return LOCKGATE_SOURCE_DIR "/src/tls/testdata/" + name; }

Json inspected(const PemFiles& files, std::string_view password = "") {
  auto seen = inspect(files, password, kNow);
  EXPECT_TRUE(seen) << seen.error();
  return seen.value_or(Json());
}

// What openssl says of the same file: `openssl x509 -in leaf.pem -noout -serial -fingerprint -sha256 -dates`,
// and for the pin `openssl x509 -pubkey`, `openssl pkey -pubin -outform DER`, `openssl dgst -sha256 -binary`,
// base64.
TEST(Describe, AgreesWithOpenssl) {
  auto json = inspected({testdata("leaf.pem"), ""});
  ASSERT_EQ(json["certificates"].size(), 1U);
  auto leaf = json["certificates"][0];
  Json expected = {{"subject", "CN=www.example.test"},
                   {"issuer", "CN=Test issuer"},
                   {"self_signed", false},
                   {"serial", "490a22229053b48e5817416e8426dc6dadc88d38"},
                   {"names", {"www.example.test"}},
                   {"not_before", "2026-11-21T13:26:34Z"},
                   {"not_after", "2126-10-28T13:26:34Z"},
                   {"days_left", 36445},
                   {"key", {{"kind", "ECDSA P-256"}, {"bits", 256}}},
                   {"signature", "ecdsa-with-SHA256"},
                   {"fingerprint", "30b8780a7519961008682b11893a2f4e44265c561248af10c7aa2f79a08a91ee"},
                   {"pin", "sha256/ajpHp86rBpNts7VfrnyNqSKsBKXB6f/V5rWahL7QWik="}};
  EXPECT_EQ(leaf.dump(2), expected.dump(2));
  EXPECT_TRUE(json["key"].is_null());
}

TEST(Describe, TellsOfTheKeyAndWhetherItFits) {
  auto json = inspected({testdata("leaf.pem"), testdata("pbkdf2.key")}, "secret");
  EXPECT_EQ(json["key"].dump(), R"({"kind":"ECDSA P-256","bits":256,"matches":true})");
  ASSERT_EQ(json["warnings"].size(), 1U);
  EXPECT_TRUE(tells(json["warnings"][0].get<std::string>(), "chain is incomplete"));
  auto both = inspected({testdata("rc2.p12"), ""}, "secret");
  EXPECT_EQ(both["certificates"].size(), 2U);
  EXPECT_EQ(both["key"]["matches"], true);

  made::Folder folder;
  auto other = folder.file("other.key", key_pem(made::certificate({.common_name = "x"})));
  for (const char* name : {"leaf.pem", "aes.p12"}) {
    auto mismatch = inspect({testdata(name), other}, "secret", kNow);
    ASSERT_FALSE(mismatch);
    EXPECT_TRUE(tells(mismatch.error(), "the private key in " + other + " is"));
  }
}

TEST(Describe, ListsAllCertificatesOfAFileAsTheyStand) {
  made::Folder folder;
  auto rsa = made::certificate({.common_name = "a.example"}, nullptr, made::rsa(2048));
  auto edwards = made::certificate({.common_name = "b.example"}, nullptr, made::ed25519());
  auto json = inspected({folder.file("all.pem", pem(rsa) + pem(edwards) + pem(rsa)), ""});
  ASSERT_EQ(json["certificates"].size(), 3U);
  EXPECT_EQ(json["certificates"][0]["key"].dump(), R"({"kind":"RSA","bits":2048})");
  EXPECT_EQ(json["certificates"][1]["key"].dump(), R"({"kind":"Ed25519","bits":256})");
}

TEST(Describe, WhatCannotBeReadIsTold) {
  auto told = [](const PemFiles& files) {
    auto seen = inspect(files, "", kNow);
    EXPECT_FALSE(seen);
    return seen ? "" : seen.error();
  };
  EXPECT_TRUE(tells(told({testdata("none"), ""}), "cannot be read"));
  EXPECT_TRUE(tells(told({testdata("request.pem"), ""}), "only \"CERTIFICATE REQUEST\""));
  EXPECT_TRUE(tells(told({testdata("aes.p12"), ""}), "is encrypted, and no password is given"));
  EXPECT_TRUE(tells(told({testdata("leaf.pem"), testdata("none")}), "none cannot be read"));
}

TEST(Describe, WordsForPeopleHaveItAll) {
  auto made = made::certificate(
      {.common_name = "a.example", .names = "DNS:a.example,IP:192.0.2.1", .until_day = 365 * 1000});
  made::Folder folder;
  auto words = in_words(inspected({folder.file("a.pem", pem(made) + key_pem(made)), ""}));
  EXPECT_TRUE(tells(words, "subject      CN=a.example\nissuer       CN=a.example (self-signed)\n"));
  EXPECT_TRUE(tells(words, "names        a.example, 192.0.2.1\n"));
  EXPECT_TRUE(tells(words, "valid        2027-01-14T08:00:00Z to 3026-05-18T08:00:00Z, 365000 days left\n"))
      << "the wall clock ends before that";
  EXPECT_TRUE(tells(words, "key          ECDSA P-256, 256 bits\nsignature    ecdsa-with-SHA256\n"));
  EXPECT_TRUE(tells(words, "The private key, ECDSA P-256, is that of the first certificate.\nwarning: the"));
}

}  // namespace
}  // namespace lockgate::tls
