#include "tls/keyring.h"

#include <gtest/gtest.h>

#include <list>

#include "config/parse.h"
#include "tls/made_certificate.h"
#include "tls/made_folder.h"
#include "tls/self_signed.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kThreads = 2;

class Keyrings : public testing::Test {
 protected:
  // A configuration of these certificates and this site's and upstream's TLS, which stays as long as the
  // test.
  const config::Config& configured(const std::string& certificates, const std::string& site = "{}",
                                   const std::string& upstream = "{ verify: off }") {
    std::string text = "state_folder: " + folder_.path("state") + "\ncertificates:\n" + certificates +
                       "\nupstreams:\n  up: { endpoints: \"tls://192.0.2.1:443\", tls: " + upstream +
                       " }\nlisteners:\n  - bind: 127.0.0.1:1443\n    sites:\n" +
                       "      - { names: [a.example.test, default], tls: " + site +
                       ", terminate: { certificate: one, to: up } }\n";
    auto parsed = config::parse_text(text, "test.yaml");
    for (const auto& diagnostic : parsed.diagnostics) ADD_FAILURE() << words(diagnostic);
    configs_.push_back(std::move(*parsed.config));
    return configs_.back();
  }
  const config::Site& site() const { return configs_.back().listeners[0].sites[0]; }
  const config::Upstream& upstream() const { return configs_.back().upstreams[0]; }

  void use(const config::Config& config) {
    auto ring = keyring_.make(config);
    ASSERT_TRUE(ring) << words(ring.error().front());
    keyring_.use(std::move(*ring));
  }
  std::string refused(const config::Config& config) {
    auto ring = keyring_.make(config);
    return ring ? "" : words(ring.error().front());
  }
  // A PEM file with a certificate of its own.
  std::string pem(const std::string& name) {
    auto made = self_signed({name}, KeyKind::ecdsa, SystemClock().wall());
    return folder_.file(name + ".pem", in_one(*made).text());
  }

  made::Folder folder_;
  ManualClock clock_;
  std::list<config::Config> configs_;
  Keyring keyring_{clock_, kThreads};
};

TEST_F(Keyrings, HaveASideForEachThread) {
  use(configured("  one: { chain: " + pem("a.example.test") + " }"));
  EXPECT_EQ(keyring_.server_sides(site()).size(), kThreads);
  EXPECT_NE(keyring_.server_sides(site())[0], keyring_.server_sides(site())[1]);
  EXPECT_EQ(keyring_.client_sides(upstream()).size(), kThreads);
  ASSERT_EQ(keyring_.certificates().size(), 1U);
  EXPECT_EQ(keyring_.certificates()[0].identity->subject, "CN=a.example.test");
}

TEST_F(Keyrings, UseAgainWhatHasNotChanged) {
  std::string certificate = "  one: { chain: " + pem("a.example.test") + " }";
  use(configured(certificate));
  auto server = keyring_.server_sides(site());
  auto client = keyring_.client_sides(upstream());
  use(configured(certificate));
  EXPECT_EQ(keyring_.server_sides(site()), server);
  EXPECT_EQ(keyring_.client_sides(upstream()), client);
  use(configured(certificate, "{ profile: modern }"));
  EXPECT_NE(keyring_.server_sides(site()), server);
  EXPECT_EQ(keyring_.client_sides(upstream()), client);
  use(configured(certificate, "{}", "{ verify: off, max_version: \"1.2\" }"));
  EXPECT_NE(keyring_.client_sides(upstream()), client);
}

TEST_F(Keyrings, AreOutdatedByAFileThatChangesAndOnlyThen) {
  std::string path = pem("a.example.test");
  use(configured("  one: { chain: " + path + " }"));
  auto server = keyring_.server_sides(site());
  EXPECT_FALSE(keyring_.is_outdated());
  auto other = self_signed({"b.example.test"}, KeyKind::rsa, SystemClock().wall());
  folder_.file("a.example.test.pem", in_one(*other).text());
  EXPECT_TRUE(keyring_.is_outdated());
  use(configs_.back());
  EXPECT_FALSE(keyring_.is_outdated());
  EXPECT_NE(keyring_.server_sides(site()), server);
  EXPECT_EQ(keyring_.certificates()[0].identity->subject, "CN=b.example.test");
}

TEST_F(Keyrings, ShowAnIssuerThatWasForgottenInTheChainAtFirst) {
  auto issuer = made::certificate({.common_name = "issuer", .names = "", .authority = true});
  auto leaf = made::certificate({.common_name = "a.example", .names = "DNS:a.example"}, &issuer);
  std::string key = folder_.file("key.pem", made::key_pem(leaf));
  use(configured("  one: { chain: " + folder_.file("chain.pem", made::pem(leaf)) + ", key: " + key + " }"));
  auto first = keyring_.server_sides(site());
  folder_.file("chain.pem", made::pem(leaf) + made::pem(issuer));
  EXPECT_TRUE(keyring_.is_outdated());
  use(configs_.back());
  ASSERT_EQ(keyring_.certificates().front().identity->chain.size(), 1U);
  EXPECT_NE(keyring_.server_sides(site()), first);
}

// A certificate whose issuer can be asked, in a file with that issuer or without.
class StaplingKeyrings : public Keyrings {
 protected:
  std::string certificate(bool with_issuer = true) {
    std::string key = folder_.file("key.pem", made::key_pem(leaf_));
    std::string chain = folder_.file("chain.pem", made::pem(leaf_) + (with_issuer ? made::pem(issuer_) : ""));
    return "  one: { chain: " + chain + ", key: " + key + " }";
  }

  made::Signed issuer_ = made::certificate({.common_name = "issuer", .authority = true});
  made::Signed leaf_ =
      made::certificate({.common_name = "a.example.test",
                         .names = "DNS:a.example.test",
                         .extensions = {{NID_info_access, "OCSP;URI:http://ocsp.example.test/"}}},
                        &issuer_);
};

TEST_F(StaplingKeyrings, KnowWhomToAskAboutACertificate) {
  use(configured(certificate()));
  ASSERT_EQ(keyring_.stapled().size(), 1U);
  const auto& [fingerprint, stapled] = *keyring_.stapled().begin();
  EXPECT_EQ(fingerprint, keyring_.certificates().front().identity->fingerprint);
  EXPECT_EQ(stapled.name, "one");
  EXPECT_EQ(stapled.responder.url(), "http://ocsp.example.test/");
  ASSERT_EQ(stapled.staples.size(), kThreads);
  EXPECT_NE(stapled.staples[0], stapled.staples[1]);
}

TEST_F(StaplingKeyrings, AskNobodyWithoutTheIssuerOrTheWish) {
  use(configured(certificate(), "{ ocsp_stapling: off }"));
  EXPECT_TRUE(keyring_.stapled().empty());
  use(configured(certificate(false)));
  EXPECT_TRUE(keyring_.stapled().empty());
  use(configured("  one: { chain: " + pem("a.example.test") + " }"));
  EXPECT_TRUE(keyring_.stapled().empty());
}

TEST_F(StaplingKeyrings, KeepStaplesWhileSidesAreMadeAnew) {
  use(configured(certificate()));
  auto side = keyring_.server_sides(site());
  auto staples = keyring_.stapled().begin()->second.staples;
  use(configured(certificate(), "{ profile: modern }"));
  EXPECT_NE(keyring_.server_sides(site()), side);
  EXPECT_EQ(keyring_.stapled().begin()->second.staples, staples);
  use(configured(certificate(), "{ ocsp_stapling: off }"));
  use(configured(certificate()));
  EXPECT_NE(keyring_.stapled().begin()->second.staples, staples) << "nobody has kept the answer good";
}

TEST_F(Keyrings, StayAsTheyAreWhenAFileBreaks) {
  std::string path = pem("a.example.test");
  use(configured("  one: { chain: " + path + " }"));
  auto server = keyring_.server_sides(site());
  folder_.file("a.example.test.pem", "nothing");
  EXPECT_TRUE(tells(refused(configs_.back()), "test.yaml:3:3: error: certificate `one`: "));
  EXPECT_EQ(keyring_.server_sides(site()), server);
  EXPECT_TRUE(keyring_.is_outdated()) << "so that it is tried again";
}

TEST_F(Keyrings, RenewWhatCanBeUsedThoughOtherFilesCannot) {
  std::string one = pem("a.example.test"), two = pem("b.example.test");
  std::string authority = folder_.file("ca.pem", made::pem(made::certificate({.authority = true})));
  use(configured("  one: { chain: " + one + " }\n  two: { chain: " + two + " }",
                 "{ client_certificate: { ask: optional, ca_file: " + authority + " } }",
                 "{ ca_file: " + authority + " }"));
  auto server = keyring_.server_sides(site());
  auto client = keyring_.client_sides(upstream());
  auto serial = [&](std::size_t number) { return keyring_.certificates()[number].identity->serial; };
  std::string first = serial(0), second = serial(1);
  folder_.file("a.example.test.pem", "nothing");
  folder_.file("ca.pem", "nothing either");
  pem("b.example.test");
  auto unusable = keyring_.renew(configs_.back());
  ASSERT_EQ(unusable.size(), 3U);
  EXPECT_TRUE(tells(unusable[0].message, "certificate `one`: "));
  EXPECT_TRUE(tells(unusable[1].message, "site `a.example.test`: the trusted certificates in"));
  EXPECT_TRUE(tells(unusable[2].message, "upstream `up`: the trusted certificates in"));
  EXPECT_EQ(serial(0), first);
  EXPECT_NE(serial(1), second);
  EXPECT_EQ(keyring_.server_sides(site()), server);
  EXPECT_EQ(keyring_.client_sides(upstream()), client);
  EXPECT_FALSE(keyring_.is_outdated()) << "until one of the files changes again";
  pem("a.example.test");
  folder_.file("ca.pem", made::pem(made::certificate({.authority = true})));
  EXPECT_TRUE(keyring_.is_outdated());
  EXPECT_TRUE(keyring_.renew(configs_.back()).empty());
  EXPECT_NE(serial(0), first);
  EXPECT_NE(keyring_.server_sides(site()), server);
  EXPECT_NE(keyring_.client_sides(upstream()), client);
}

TEST_F(Keyrings, TellOfAllThatCannotBeUsedAtOnce) {
  auto ring = keyring_.make(
      configured("  one: { chain: /nowhere }\n  two: { chain: /elsewhere }", "{}", "{ ca_file: /nowhere }"));
  ASSERT_FALSE(ring);
  ASSERT_EQ(ring.error().size(), 3U) << "nothing of the site, which has no certificate to be made with";
  EXPECT_EQ(ring.error()[1].place.line, 4U);
}

TEST_F(Keyrings, ChangeTheKeysOfTicketsWhenTheirTimeIsOver) {
  use(configured("  one: { chain: " + pem("a.example.test") + " }", "{ tickets: { lifetime: 1h } }"));
  auto server = keyring_.server_sides(site());
  clock_.advance(59min);
  EXPECT_FALSE(keyring_.is_outdated());
  clock_.advance(2min);
  EXPECT_TRUE(keyring_.is_outdated());
  use(configs_.back());
  EXPECT_FALSE(keyring_.is_outdated());
  EXPECT_NE(keyring_.server_sides(site()), server);
}

TEST_F(Keyrings, MakeCertificatesForTheNamesOfTheSitesThatShowThem) {
  use(configured("  one: self_signed"));
  ASSERT_EQ(keyring_.certificates().size(), 2U) << "one with RSA, one with ECDSA";
  EXPECT_EQ(keyring_.certificates()[0].identity->names, std::vector<std::string>{"a.example.test"});
}

TEST_F(Keyrings, SayWhichSiteOrUpstreamCannotHaveWhatItWants) {
  std::string certificate = "  one: { chain: " + pem("a.example.test") + " }";
  EXPECT_TRUE(
      tells(refused(configured(certificate, "{ ciphers: [NONSENSE] }")), "site `a.example.test`: `ciphers`"));
  EXPECT_TRUE(tells(refused(configured(certificate, "{ groups: [P-257] }")), "`groups` cannot be `P-257`"));
  EXPECT_TRUE(
      tells(refused(configured(certificate, "{ signature_algorithms: [x] }")), "`signature_algorithms`"));
  EXPECT_TRUE(tells(refused(configured(certificate, "{ dh_parameters: /nowhere }")), "/nowhere"));
  EXPECT_TRUE(tells(
      refused(configured(certificate, "{ tickets: { key_file: " + folder_.file("keys", "short") + " } }")),
      "must be 80 bytes each"));
  EXPECT_TRUE(
      tells(refused(configured(certificate, "{}", "{ ca_file: /nowhere }")), "upstream `up`: the trusted"));
}

TEST_F(Keyrings, TakePasswordsFromTheFirstLineOfAFileOrTheEnvironment) {
  std::string folder = LOCKGATE_SOURCE_DIR "/src/tls/testdata/";
  std::string password = folder_.file("password", "secret\nsecond line\n");
  use(configured("  one: { pkcs12: " + folder + "aes.p12, password_file: " + password + " }"));
  ::setenv("LOCKGATE_TEST_PASSWORD", "secret", 1);
  use(configured("  one: { pkcs12: " + folder + "aes.p12, password_environment: LOCKGATE_TEST_PASSWORD }"));
  EXPECT_TRUE(
      tells(refused(configured("  one: { pkcs12: " + folder + "aes.p12, password_environment: NOT_SET }")),
            "no environment variable NOT_SET"));
}

}  // namespace
}  // namespace lockgate::tls
