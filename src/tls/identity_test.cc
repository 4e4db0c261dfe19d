// The files of other programs are in testdata, and testdata/README.md says how each was made.
#include "tls/identity.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/stat.h>

#include "tls/encryption.h"
#include "tls/files.h"
#include "tls/made_certificate.h"
#include "tls/made_folder.h"
#include "tls/told.h"

namespace lockgate::tls {
namespace {

using made::content_of;
using made::key_pem;
using made::pem;

std::string testdata(const std::string& name) { return LOCKGATE_SOURCE_DIR "/src/tls/testdata/" + name; }

// A root, an issuer below it and a certificate that the issuer signed.
struct Family {
  made::Signed root = made::certificate({.common_name = "Root", .authority = true});
  made::Signed issuer = made::certificate({.common_name = "Issuer", .authority = true}, &root);
  made::Signed leaf =
      made::certificate({.common_name = "www.example.test", .names = "DNS:www.example.test"}, &issuer);
};

std::string failure_of(const FoundIdentity& found) {
  EXPECT_FALSE(found);
  EXPECT_EQ(ERR_peek_error(), 0U) << "errors are left behind for whoever asks libssl next";
  return found ? "(none)" : found.error();
}

std::vector<std::string> chain_of(const Identity& identity) {
  std::vector<std::string> subjects;
  for (const auto& issuer : identity.chain) subjects.push_back(subject_of(issuer.get()));
  return subjects;
}

TEST(Identity, IsReadFromOneTextOrFromTwo) {
  Family family;
  auto one = parse_pem(key_pem(family.leaf) + pem(family.leaf) + pem(family.issuer), "", "");
  ASSERT_TRUE(one) << one.error();
  EXPECT_EQ((*one)->subject, "CN=www.example.test");
  EXPECT_EQ((*one)->issuer, "CN=Issuer");
  EXPECT_EQ((*one)->kind, KeyKind::ecdsa);
  EXPECT_EQ((*one)->names, (Strings{"www.example.test"}));
  EXPECT_EQ(chain_of(**one), (Strings{"CN=Issuer"}));
  EXPECT_FALSE((*one)->was_out_of_order);
  EXPECT_EQ((*one)->left_out, Strings());
  EXPECT_EQ((*one)->not_after, made::kNow + 90 * 86'400'000'000'000);

  auto two = parse_pem(pem(family.leaf) + pem(family.issuer), key_pem(family.leaf), "");
  ASSERT_TRUE(two) << two.error();
  EXPECT_EQ((*two)->fingerprint, (*one)->fingerprint);
}

TEST(Identity, OrdersItsChainWhateverTheOrderInTheFile) {
  Family family;
  auto found = parse_pem(pem(family.root) + pem(family.issuer) + pem(family.leaf), key_pem(family.leaf), "");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ((*found)->subject, "CN=www.example.test");
  EXPECT_EQ(chain_of(**found), (Strings{"CN=Issuer", "CN=Root"}));
  EXPECT_TRUE((*found)->was_out_of_order);
}

TEST(Identity, LeavesOutWhatDoesNotBelongToItsChain) {
  Family family, others;
  auto found = parse_pem(
      pem(family.leaf) + pem(others.issuer) + pem(family.issuer) + pem(family.issuer) + pem(others.leaf),
      key_pem(family.leaf), "");
  ASSERT_TRUE(found) << found.error();
  ASSERT_EQ(chain_of(**found), (Strings{"CN=Issuer"}));
  EXPECT_EQ(X509_cmp((*found)->chain[0].get(), family.issuer.certificate.get()), 0)
      << "the other issuer has the same name, and did not sign this certificate";
  EXPECT_EQ((*found)->left_out, (Strings{"CN=Issuer", "CN=www.example.test"}));
}

TEST(Identity, IsTheNewestCertificateOfItsKey) {
  auto old = made::certificate({.common_name = "old.example.test", .until_day = 10});
  auto renewed = made::certificate({.common_name = "new.example.test", .until_day = 100}, nullptr,
                                   OwnedKey(EVP_PKEY_dup(old.key.get())));
  auto found = parse_pem(pem(old) + pem(renewed), key_pem(old), "");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ((*found)->subject, "CN=new.example.test");
}

TEST(Identity, EndsAChainThatGoesInCircles) {
  // Two authorities that certify each other.
  auto a = made::certificate({.common_name = "A", .authority = true});
  auto b = made::certificate({.common_name = "B", .authority = true}, &a);
  auto a_by_b =
      made::certificate({.common_name = "A", .authority = true}, &b, OwnedKey(EVP_PKEY_dup(a.key.get())));
  auto leaf = made::certificate({.common_name = "leaf.example.test"}, &a);
  auto found = parse_pem(pem(leaf) + pem(a_by_b) + pem(b) + pem(a_by_b) + pem(b), key_pem(leaf), "");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(chain_of(**found), (Strings{"CN=A", "CN=B", "CN=A", "CN=B"}));
}

TEST(Identity, TakesTheKindsOfKeysThatClientsTake) {
  struct Case {
    OwnedKey key;
    KeyKind kind;
  };
  Case cases[] = {{made::rsa(2048), KeyKind::rsa},
                  {made::ecdsa(), KeyKind::ecdsa},
                  {OwnedKey(EVP_EC_gen("P-384")), KeyKind::ecdsa},
                  {OwnedKey(EVP_EC_gen("P-521")), KeyKind::ecdsa},
                  {made::ed25519(), KeyKind::eddsa}};
  for (auto& [key, kind] : cases) {
    auto made = made::certificate({.common_name = "a.example.test"}, nullptr, std::move(key));
    auto found = parse_pem(pem(made), key_pem(made), "");
    ASSERT_TRUE(found) << found.error();
    EXPECT_EQ((*found)->kind, kind);
  }
}

TEST(Identity, RefusesKeysThatClientsDoNotTake) {
  struct Case {
    OwnedKey key;
    const char* word;
  };
  Case cases[] = {{OwnedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448")), "is of the kind ED448, which"},
                  {OwnedKey(EVP_EC_gen("secp256k1")), "ECDSA key on secp256k1"}};
  for (auto& [key, word] : cases) {
    bool is_pure = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED448;
    made::Wish wish{.common_name = "a.example.test"};
    if (is_pure) wish.digest = nullptr;
    auto made = made::certificate(wish, nullptr, std::move(key));
    EXPECT_TRUE(tells(failure_of(parse_pem(pem(made), key_pem(made), "")), word));
  }
  EXPECT_TRUE(tells(failure_of(read_pem({testdata("dsa.pem"), ""}, "")), "is of the kind DSA, which"));
}

TEST(Identity, KeyOfAnotherCertificateIsRefused) {
  Family family;
  made::Folder folder;
  auto chain = folder.file("a.pem", pem(family.leaf));
  auto key = folder.file("b.key", key_pem(family.issuer));
  EXPECT_EQ(failure_of(read_pem({chain, key}, "")),
            "the private key in " + key + " is not that of the certificate in " + chain +
                " (CN=www.example.test): give the key that the certificate was requested with");
  auto both = folder.file("both.pem", pem(family.leaf) + pem(family.root));
  EXPECT_TRUE(tells(failure_of(read_pem({both, key}, "")), "none of the 2 certificates"));
}

TEST(Identity, AlternativeNamesAreAlsoThoseOfPeopleAndServices) {
  auto names_in = [](const char* names) {
    auto made = made::certificate({.common_name = "c.example", .names = names});
    return alternative_names_of(made.certificate.get());
  };
  EXPECT_EQ(names_in("DNS:A.Example,IP:192.0.2.1,email:ann@example.com,URI:spiffe://example.com/ns/x"),
            (Strings{"a.example", "192.0.2.1", "ann@example.com", "spiffe://example.com/ns/x"}));
  EXPECT_EQ(names_in(""), Strings{}) << "a common name is none";
}

TEST(Identity, NoAlternativeNameLooksLikeTwoOrLikeAnother) {
  auto names_in = [](const std::string& names) {
    auto made = made::certificate({.common_name = "c.example", .names = "DNS:good.example," + names});
    return alternative_names_of(made.certificate.get());
  };
  for (const char* name : {"DNS:root@example.com", "DNS:spiffe://example.com/root", "DNS:192.0.2.1",
                           "email:root", "email:spiffe://root@example.com", "URI:root.example",
                           "URI:root@example.com", "URI:fe80::1", "email:a b@example.com"})
    EXPECT_EQ(names_in(name), Strings{"good.example"}) << name;
}

TEST(Identity, NamesAreNormalizedAndListedOnce) {
  auto names_in = [](const char* common_name, const char* names) {
    auto made = made::certificate({.common_name = common_name, .names = names});
    return names_of(made.certificate.get());
  };
  EXPECT_EQ(names_in("c.example", "DNS:A.Example.,DNS:*.B.example,DNS:a.example,IP:192.0.2.1,IP:2001:db8::1"),
            (Strings{"a.example", "*.b.example", "192.0.2.1", "2001:db8::1"}));
  EXPECT_EQ(names_in("c.example", "DNS:default,DNS:no host,DNS:192.0.2.9,DNS:a.*.example,DNS:*"),
            (Strings{"default"}))
      << "\"default\" is a host here, and no pattern";
  EXPECT_EQ(names_in("C.example", ""), (Strings{"c.example"}));
  EXPECT_EQ(names_in("My Company", ""), Strings());
  EXPECT_EQ(names_in("192.0.2.1", ""), Strings());
  EXPECT_EQ(names_in("c.example", "email:a@b.example"), Strings());
}

TEST(Identity, TextsOfACertificateAreFitForTerminalAndJson) {
  auto made = made::certificate({.common_name = "M\xc3\xbcller\x1b[31m,\n"});
  EXPECT_EQ(subject_of(made.certificate.get()), R"(CN=M\C3\BCller\1B[31m\,\0A)");
}

TEST(Identity, DatesBeyondTheWallClockAreItsLast) {
  auto made = made::certificate({.common_name = "a.example.test", .until_day = 365 * 7000});
  auto found = parse_pem(pem(made), key_pem(made), "");
  ASSERT_TRUE(found) << found.error();
  EXPECT_GT((*found)->not_after, INT64_MAX - 2'000'000'000);
}

// PEM.

TEST(PemIdentity, IsReadThroughEverythingElseInTheFile) {
  Family family;
  std::string windows = "\xef\xbb\xbf" + pem(family.leaf);
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2)
    windows.insert(at, "\r");
  auto text = windows + "Bag Attributes\n    friendlyName: x\n" + content_of(testdata("request.pem")) +
              "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  auto found = parse_pem(text, key_pem(family.leaf), "");
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ((*found)->subject, "CN=www.example.test");
}

TEST(PemIdentity, KeysAreDecryptedInEveryForm) {
  for (const char* key : {"plain.key", "traditional.key", "pbkdf2.key", "scrypt.key", "md5_des.key"}) {
    auto found = read_pem({testdata("leaf.pem"), testdata(key)}, "secret");
    EXPECT_TRUE(found) << found.error();
  }
  auto found = read_pem({testdata("leaf.pem"), testdata("empty_password.key")}, "");
  EXPECT_TRUE(found) << found.error();
}

TEST(PemIdentity, WrongPasswordIsToldAndNotRepeated) {
  for (const char* key : {"traditional.key", "pbkdf2.key", "scrypt.key", "md5_des.key"}) {
    auto file = testdata(key);
    EXPECT_EQ(failure_of(read_pem({testdata("leaf.pem"), file}, "hunter2")),
              "the private key in " + file + " is encrypted, and the password is wrong or the file damaged");
    EXPECT_EQ(failure_of(read_pem({testdata("leaf.pem"), file}, "")),
              "the private key in " + file + " is encrypted, and no password is given");
    auto told = failure_of(read_pem({testdata("leaf.pem"), file}, std::string(5000, 'x')));
    EXPECT_TRUE(tells(told, "is encrypted") && !told.contains("xx")) << told;
  }
}

TEST(PemIdentity, OldCipherInTheOldFormIsNamed) {
  EXPECT_TRUE(tells(failure_of(read_pem({testdata("leaf.pem"), testdata("traditional_des.key")}, "secret")),
                    "is encrypted by DES-CBC, which is too old"));
}

TEST(PemIdentity, CutAnywhereIsRefusedOrWhole) {
  Family family;
  auto chain = pem(family.leaf) + pem(family.issuer), whole = chain + key_pem(family.leaf);
  auto expected = parse_pem(whole, "", "");
  ASSERT_TRUE(expected);
  int refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    auto found = parse_pem(whole.substr(0, size), "", "");
    if (!found) {
      ++refused;
      continue;
    }
    // Nothing is missing but the end of the last line.
    EXPECT_EQ(size, whole.size() - 1);
    EXPECT_EQ((*found)->fingerprint, (*expected)->fingerprint);
  }
  EXPECT_GE(refused, static_cast<int>(whole.size()) - 1);
  EXPECT_TRUE(tells(failure_of(parse_pem(whole.substr(0, chain.size() - 30), "", "")),
                    "the chain is damaged or cut off in its 2. PEM block"));
}

TEST(PemIdentity, DamagedBase64IsNotPassedOver) {
  Family family;
  auto chain = pem(family.leaf) + pem(family.issuer);
  auto broken = chain;
  broken[chain.size() - 60] = '?';
  EXPECT_TRUE(tells(failure_of(parse_pem(broken, key_pem(family.leaf), "")), "in its 2. PEM block"));
  EXPECT_TRUE(
      tells(failure_of(parse_pem("\xef\xbb\xbf" + broken, key_pem(family.leaf), "")), "in its 2. PEM block"))
      << "a byte order mark hides no block";
}

TEST(PemIdentity, WhatIsMissingIsTold) {
  Family family;
  auto leaf = pem(family.leaf), key = key_pem(family.leaf);
  auto told = [](const std::string& chain, const std::string& own_key) {
    return failure_of(parse_pem(chain, own_key, "", {"a.pem", "a.key"}));
  };
  EXPECT_EQ(told("", key), "a.pem is empty");
  EXPECT_EQ(told("nonsense", key), "a.pem holds no certificate in PEM, nor anything else in it");
  EXPECT_EQ(told(key, leaf), "a.pem holds no certificate in PEM, only \"PRIVATE KEY\"");
  EXPECT_EQ(told(leaf, leaf), "a.key holds no private key in PEM, only \"CERTIFICATE\"");
  EXPECT_EQ(told(leaf, ""), "a.pem holds no private key in PEM, only \"CERTIFICATE\"");
  EXPECT_TRUE(tells(told(content_of(testdata("leaf.der")), key), "a.pem is in binary form (DER or PKCS#12)"));
  EXPECT_TRUE(tells(told(content_of(testdata("aes.p12")), key), "give it as PKCS#12"));
  EXPECT_TRUE(tells(told(leaf, key + key), "a.key holds more than one private key"));
  EXPECT_TRUE(
      tells(told(leaf, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
            "\"OPENSSH PRIVATE KEY\", which is not for TLS"));
}

TEST(PemIdentity, FilesThatCannotBeReadAreTold) {
  made::Folder folder;
  auto told = [&](const std::string& path) { return failure_of(read_pem({path, ""}, "")); };
  EXPECT_EQ(told(folder.path("none.pem")), folder.path("none.pem") +
                                               " cannot be read: No such file or directory; see whether the "
                                               "name is right");
  EXPECT_TRUE(tells(told(folder.path()), "is a folder"));
  EXPECT_TRUE(tells(told(folder.file("empty.pem", "")), "is empty"));
  EXPECT_TRUE(tells(told("/dev/null"), "is not a regular file"));
  EXPECT_TRUE(
      tells(told(folder.file("large.pem", std::string(kLargestFile + 1, '\n'))), "is larger than 1 MiB"));
  EXPECT_TRUE(tells(told(folder.file("as_large_as_may_be.pem", std::string(kLargestFile, '\n'))),
                    "holds no certificate"));
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(tells(told(folder.path("pipe")), "is not a regular file"));
  auto leaf = testdata("leaf.pem");
  EXPECT_TRUE(tells(failure_of(read_pem({leaf, folder.file("empty.key", "")}, "")), "empty.key is empty"));
}

// PKCS#12.

TEST(Pkcs12Identity, IsReadWithNewCiphersAndOld) {
  for (const char* name : {"aes.p12", "rc2.p12", "without_code.p12"}) {
    auto found = read_pkcs12(testdata(name), "secret");
    ASSERT_TRUE(found) << found.error();
    EXPECT_EQ((*found)->subject, "CN=www.example.test");
    EXPECT_EQ(chain_of(**found), (Strings{"CN=Test issuer"}));
    auto same = read_pem({testdata("leaf.pem"), testdata("plain.key")}, "");
    ASSERT_TRUE(same) << same.error();
    EXPECT_EQ((*found)->fingerprint, (*same)->fingerprint);
  }
}

TEST(Pkcs12Identity, NeedsNoPasswordWhereThereIsNone) {
  for (const char* name : {"empty_password.p12", "open.p12"}) {
    auto found = read_pkcs12(testdata(name), "");
    EXPECT_TRUE(found) << found.error();
  }
}

TEST(Pkcs12Identity, OldCiphersStayInTheirRoom) {
  ASSERT_TRUE(read_pkcs12(testdata("rc2.p12"), "secret"));
  EXPECT_EQ(EVP_CIPHER_fetch(nullptr, "RC2-40-CBC", nullptr), nullptr);
  ERR_clear_error();
  EVP_CIPHER* here = EVP_CIPHER_fetch(decrypting_library(), "RC2-40-CBC", nullptr);
  EXPECT_NE(here, nullptr);
  EVP_CIPHER_free(here);
}

// The library is loaded once per process, so this needs one of its own.
TEST(Pkcs12IdentityDeathTest, MissingModuleWithTheOldCiphersIsTold) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto read_without_module = [] {
    ::setenv("OPENSSL_MODULES", "/nonexistent", 1);
    if (!read_pkcs12(testdata("aes.p12"), "secret")) std::abort();
    std::fputs(failure_of(read_pkcs12(testdata("rc2.p12"), "secret")).c_str(), stderr);
    std::_Exit(0);
  };
  EXPECT_EXIT(
      read_without_module(), ::testing::ExitedWithCode(0),
      "rc2.p12 is encrypted by .*RC2.*, a cipher of old, for which OpenSSL's module legacy.so is needed");
}

TEST(Pkcs12Identity, WrongPasswordIsToldAndNotRepeated) {
  for (const char* name : {"aes.p12", "rc2.p12", "without_code.p12"}) {
    EXPECT_EQ(failure_of(read_pkcs12(testdata(name), "hunter2")),
              testdata(name) + " is encrypted, and the password is wrong or the file damaged");
    EXPECT_EQ(failure_of(read_pkcs12(testdata(name), "")),
              testdata(name) + " is encrypted, and no password is given");
  }
}

TEST(Pkcs12Identity, RoundsThatWouldTakeTooLongAreRefused) {
  constexpr const char* kTold = "10000000 rounds are the most";
  EXPECT_TRUE(tells(failure_of(read_pkcs12(testdata("too_many_rounds.p12"), "secret")), kTold));
  EXPECT_TRUE(
      tells(failure_of(read_pem({testdata("leaf.pem"), testdata("too_many_rounds.key")}, "secret")), kTold));
  // Two million for the certificate; for the key more than are left then, though not too many by themselves.
  auto file = content_of(testdata("many_rounds.p12"));
  auto rounds = file.rfind("\x02\x03\x1e\x84\x80");
  ASSERT_NE(rounds, std::string::npos);
  file.replace(rounds, 5, "\x02\x03\x7f\xff\xff");
  EXPECT_TRUE(tells(failure_of(parse_pkcs12(as_bytes(file), "secret")), kTold));
}

TEST(Pkcs12Identity, RoundsOfTheCodeAreBounded) {
  // Ten million and one, as many as fit, and fewer than none at all.
  for (const std::string& rounds : {std::string("\x00\x98\x96\x81", 4), std::string("\x7f\xff\xff\xff"),
                                    std::string("\x80\x00\x00\x00", 4)}) {
    auto file = content_of(testdata("rc2.p12"));
    auto at = file.rfind(std::string("\x02\x02\x08\x00", 4));
    ASSERT_EQ(at, 1362U);
    file.replace(at, 4, "\x02\x04" + rounds);
    for (std::size_t length : {3U, 1316U}) file[length] = static_cast<char>(file[length] + 2);
    EXPECT_TRUE(tells(failure_of(parse_pkcs12(as_bytes(file), "secret")), "10000000 rounds are the most"));
  }
}

TEST(Pkcs12Identity, CutAnywhereIsRefused) {
  for (const char* name : {"rc2.p12", "open.p12"}) {
    auto whole = content_of(testdata(name));
    ASSERT_TRUE(parse_pkcs12(as_bytes(whole), *name == 'o' ? "" : "secret"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      auto part = whole.substr(0, size);
      EXPECT_FALSE(parse_pkcs12(as_bytes(part), "secret")) << size;
    }
  }
}

TEST(Pkcs12Identity, OtherFormsAreTold) {
  made::Folder folder;
  EXPECT_TRUE(tells(failure_of(read_pkcs12(testdata("leaf.pem"), "")), "is in PEM, not PKCS#12"));
  EXPECT_TRUE(tells(failure_of(read_pkcs12(testdata("leaf.der"), "")), "is not PKCS#12, nor PEM"));
  EXPECT_TRUE(tells(failure_of(read_pkcs12(folder.file("empty.p12", ""), "")), "is empty"));
  EXPECT_TRUE(tells(failure_of(read_pkcs12(folder.path(), "")), "is a folder"));
}

}  // namespace
}  // namespace lockgate::tls
