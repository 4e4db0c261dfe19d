// Certificates as a test wants them, good and bad, with an issuer or without. For tests only.
#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <map>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "tls/certificate.h"
#include "tls/key.h"

namespace lockgate::tls::made {

/// What time it is in tests of certificates.
inline constexpr std::int64_t kSecondsNow = 1'800'000'000;
inline constexpr WallTime kNow = kSecondsNow * 1'000'000'000;

struct Wish {
  std::string common_name;
  std::string names;  // as openssl.cnf(5) has them: "DNS:a.example,IP:192.0.2.1"
  bool authority = false;
  int from_day = -1, until_day = 90;  // from now
  const EVP_MD* digest = EVP_sha256();
  std::map<int, std::string> extensions = {};  // further ones, by NID, as openssl.cnf(5) has them
};

/// A certificate and its key.
struct Signed {
  OwnedKey key;
  OwnedCertificate certificate;
};

inline OwnedKey ecdsa() { return OwnedKey(EVP_EC_gen("P-256")); }
inline OwnedKey ed25519() { return OwnedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
inline OwnedKey rsa(unsigned bits) { return OwnedKey(EVP_RSA_gen(bits)); }

inline void extend(X509* certificate, int kind, const std::string& words) {
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, nullptr, kind, words.c_str());
  CHECK(extension && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, else by itself.
inline Signed certificate(const Wish& wish, const Signed* issuer = nullptr, OwnedKey key = ecdsa()) {
  static int serial = 0x1000;
  Signed made{std::move(key), OwnedCertificate(X509_new())};
  X509* x509 = made.certificate.get();
  CHECK(made.key && x509 && X509_set_version(x509, X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  ASN1_TIME_set(X509_getm_notBefore(x509), kSecondsNow + wish.from_day * 86'400L);
  ASN1_TIME_set(X509_getm_notAfter(x509), kSecondsNow + wish.until_day * 86'400L);
  X509_set_pubkey(x509, made.key.get());
  if (!wish.common_name.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.data()),
                               static_cast<int>(wish.common_name.size()), -1, 0);
  }
  X509_set_issuer_name(x509, X509_get_subject_name(issuer ? issuer->certificate.get() : x509));
  if (!wish.names.empty()) extend(x509, NID_subject_alt_name, wish.names);
  for (const auto& [kind, words] : wish.extensions) extend(x509, kind, words);
  if (wish.authority) extend(x509, NID_basic_constraints, "critical,CA:TRUE");
  EVP_PKEY* signer = issuer ? issuer->key.get() : made.key.get();
  bool is_pure = EVP_PKEY_get_base_id(signer) == EVP_PKEY_ED25519;  // it does without a digest
  CHECK(X509_sign(x509, signer, is_pure ? nullptr : wish.digest) > 0);
  return made;
}

inline std::string pem(const Signed& made) {
  Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), made.certificate.get()) == 1);
  char* text = nullptr;
  long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}
inline std::string key_pem(const Signed& made) { return std::string(key_as_pem(made.key.get()).text()); }

}  // namespace lockgate::tls::made
