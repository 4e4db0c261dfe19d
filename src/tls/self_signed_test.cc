#include "tls/self_signed.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tls/made_certificate.h"
#include "tls/made_folder.h"
#include "tls/told.h"
#include "tls/weaknesses.h"

namespace lockgate::tls {
namespace {

namespace fs = std::filesystem;
using made::kNow;

constexpr WallTime kDay = 86'400'000'000'000;
const Strings kNames = {"Www.Example.Test.", "*.example.test", "192.0.2.1", "[2001:db8::1]",
                        "www.example.test"};
const Strings kCanonical = {"www.example.test", "*.example.test", "192.0.2.1", "2001:db8::1"};

SharedIdentity identity_of(const Made& made) {
  auto identity = parse_pem(made.document, made.key.text(), "");
  EXPECT_TRUE(identity) << identity.error();
  return identity.value_or(nullptr);
}

Strings read_folder(const std::string& path) {
  Strings names;
  for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

mode_t mode_of(const std::string& path) {
  struct stat about{};
  EXPECT_EQ(::stat(path.c_str(), &about), 0);
  return about.st_mode & 0777U;
}

TEST(SelfSigned, IsForTheNamesAndOfTheKindWanted) {
  for (KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa}) {
    auto made = self_signed(kNames, kind, kNow);
    ASSERT_TRUE(made) << made.error();
    auto identity = identity_of(*made);
    EXPECT_EQ(identity->kind, kind);
    EXPECT_EQ(identity->names, kCanonical);
    EXPECT_EQ(identity->subject, "CN=www.example.test");
    EXPECT_EQ(identity->not_before, kNow - kDay);
    EXPECT_EQ(identity->not_after, kNow + kSelfSignedDays * kDay);
    EXPECT_TRUE(tell(weaknesses(*identity, kNow), {"self-signed"}));
  }
}

TEST(SelfSigned, SaysWhatItMayBeUsedFor) {
  auto made = self_signed({"a.example.test"}, KeyKind::rsa, kNow);
  ASSERT_TRUE(made);
  auto identity = identity_of(*made);
  X509* certificate = identity->certificate.get();
  EXPECT_EQ(X509_get_version(certificate), X509_VERSION_3);
  EXPECT_EQ(X509_get_extended_key_usage(certificate),
            static_cast<std::uint32_t>(XKU_SSL_SERVER | XKU_SSL_CLIENT));
  EXPECT_EQ(X509_get_key_usage(certificate),
            static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT));
  EXPECT_EQ(X509_check_ca(certificate), 0);
  EXPECT_EQ(signature_algorithm_of(certificate), "sha256WithRSAEncryption");
}

TEST(SelfSigned, SerialNumbersAreRandom) {
  std::set<std::string> serials;
  for (int i = 0; i < 20; ++i) serials.insert(identity_of(*self_signed({"a"}, KeyKind::ecdsa, kNow))->serial);
  EXPECT_EQ(serials.size(), 20U);
  for (const auto& serial : serials) EXPECT_EQ(serial.size(), 32U) << serial;
}

TEST(SelfSigned, LongNamesAreAlternativeNamesOnly) {
  std::string name = std::string(60, 'a') + ".example.test";
  auto identity = identity_of(*self_signed({name}, KeyKind::ecdsa, kNow));
  EXPECT_EQ(identity->names, Strings{name});
  EXPECT_EQ(identity->subject, "CN=lockgate");
}

TEST(SelfSigned, NamesThatAreNoneAreTold) {
  for (const char* name :
       {"", "a b", "a,DNS:b", "*.192.0.2.1", "a.*.b", "m\xc3\xbcller.example", "fe80::1%1"}) {
    auto made = self_signed({"good.example", name}, KeyKind::ecdsa, kNow);
    ASSERT_FALSE(made) << name;
    EXPECT_TRUE(tells(made.error(), "\"" + std::string(name) + "\""));
    EXPECT_FALSE(certificate_request({name}, KeyKind::ecdsa));
  }
  EXPECT_TRUE(tells(self_signed({}, KeyKind::ecdsa, kNow).error(), "give at least one"));
}

TEST(CertificateRequest, HasTheNamesAndIsSignedByItsKey) {
  for (KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa}) {
    auto made = certificate_request(kNames, kind);
    ASSERT_TRUE(made) << made.error();
    Owned<BIO, BIO_free_all> bio(
        BIO_new_mem_buf(made->document.data(), static_cast<int>(made->document.size())));
    Owned<X509_REQ, X509_REQ_free> request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
    ASSERT_TRUE(request);
    EXPECT_EQ(X509_REQ_verify(request.get(), X509_REQ_get0_pubkey(request.get())), 1);
    Owned<BIO, BIO_free_all> printed(BIO_new(BIO_s_mem()));
    X509_REQ_print(printed.get(), request.get());
    char* text = nullptr;
    long size = BIO_get_mem_data(printed.get(), &text);
    EXPECT_TRUE(tells({text, static_cast<std::size_t>(size)},
                      "DNS:www.example.test, DNS:*.example.test, IP Address:192.0.2.1, IP "
                      "Address:2001:DB8:0:0:0:0:0:1"));
  }
}

TEST(KeptSelfSigned, AreMadeOnceOfBothKinds) {
  made::Folder folder;
  auto place = folder.path("state");
  auto made = kept_self_signed(place, "www", kNames, kNow);
  ASSERT_TRUE(made) << made.error();
  ASSERT_EQ(made->size(), 2U);
  EXPECT_EQ((*made)[0]->kind, KeyKind::rsa);
  EXPECT_EQ((*made)[1]->kind, KeyKind::ecdsa);
  EXPECT_EQ((*made)[1]->names, kCanonical);
  EXPECT_EQ(read_folder(place + "/self-signed"), (Strings{"www.ecdsa.pem", "www.rsa.pem"}));
  EXPECT_EQ(mode_of(place), 0700U);
  EXPECT_EQ(mode_of(place + "/self-signed"), 0700U);
  EXPECT_EQ(mode_of(place + "/self-signed/www.rsa.pem"), 0600U);

  auto kept = kept_self_signed(place, "www", {kCanonical.rbegin(), kCanonical.rend()}, kNow + 300 * kDay);
  ASSERT_TRUE(kept) << kept.error();
  EXPECT_EQ((*kept)[0]->fingerprint, (*made)[0]->fingerprint);
  EXPECT_EQ((*kept)[1]->fingerprint, (*made)[1]->fingerprint);
}

TEST(KeptSelfSigned, AreMadeAnewWhenTheyNoLongerDo) {
  made::Folder folder;
  auto fingerprint = [&](const Strings& names, WallTime now) {
    auto made = kept_self_signed(folder.path(), "www", names, now);
    EXPECT_TRUE(made) << made.error();
    return made ? (*made)[1]->fingerprint : "";
  };
  auto first = fingerprint({"a.example"}, kNow);
  auto second = fingerprint({"a.example", "b.example"}, kNow);
  EXPECT_NE(second, first) << "a name was added";
  EXPECT_NE(fingerprint({"a.example"}, kNow), second) << "and taken away";
  folder.file("self-signed/www.ecdsa.pem", "damaged");
  auto third = fingerprint({"a.example"}, kNow);
  EXPECT_EQ(fingerprint({"a.example"}, kNow + (kSelfSignedDays - 30) * kDay), third);
  auto fourth = fingerprint({"a.example"}, kNow + (kSelfSignedDays - 29) * kDay);
  EXPECT_NE(fourth, third) << "it ends soon";
  EXPECT_NE(fingerprint({"a.example"}, kNow), fourth) << "it has not begun";
  EXPECT_EQ(read_folder(folder.path("self-signed")), (Strings{"www.ecdsa.pem", "www.rsa.pem"}));
}

TEST(KeptSelfSigned, StayInTheirFolderWhateverTheirName) {
  made::Folder folder;
  auto made = kept_self_signed(folder.path("state"), "../../x y", {"a.example"}, kNow);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(read_folder(folder.path("state/self-signed")),
            (Strings{"%2e.%2f..%2fx%20y.ecdsa.pem", "%2e.%2f..%2fx%20y.rsa.pem"}));
}

TEST(KeptSelfSigned, FolderThatCannotBeUsedIsTold) {
  made::Folder folder;
  auto told = [](const std::string& place) {
    auto made = kept_self_signed(place, "www", {"a.example"}, kNow);
    EXPECT_FALSE(made);
    return made ? "" : made.error();
  };
  auto deep = folder.path("none/state");
  EXPECT_EQ(told(deep), "the folder " + deep +
                            " cannot be made: No such file or directory; make it, and let the user that "
                            "Lockgate runs as own it");
  EXPECT_TRUE(tells(told(folder.file("file", "")), "must be a folder, and is none"));
  EXPECT_TRUE(tells(told("/proc"), "cannot be made"));
  fs::create_directories(folder.path("self-signed/www.rsa.pem"));
  EXPECT_TRUE(tells(told(folder.path()), "www.rsa.pem is not a regular file and is left as it is"));
}

}  // namespace
}  // namespace lockgate::tls
