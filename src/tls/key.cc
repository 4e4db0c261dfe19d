#include "tls/key.h"

#include <fmt/core.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace lockgate::tls {
namespace {

// RSA keys beyond this are refused by libcrypto when they are to be used.
constexpr int kMostRsaBits = 16384;

struct Curve {
  std::string_view group;  // of OpenSSL
  std::string_view name;   // of FIPS 186
};
constexpr Curve kCurves[] = {{"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}};

std::string group_of(EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return "an unnamed curve";
  return {name.data(), size};
}

const Curve* curve_of(EVP_PKEY* key) {
  const auto* curve = std::ranges::find(kCurves, group_of(key), &Curve::group);
  return curve == std::end(kCurves) ? nullptr : curve;
}

}  // namespace

void free_key(evp_pkey_st* key) { EVP_PKEY_free(key); }

std::expected<KeyKind, std::string> kind_of(evp_pkey_st* key) {
  constexpr std::string_view kInstead = "ask for a certificate with an RSA or ECDSA key instead";
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (bits_of(key) <= kMostRsaBits) return KeyKind::rsa;
      return std::unexpected(
          fmt::format("is an RSA key of {} bits, and {} are the most", bits_of(key), kMostRsaBits));
    case EVP_PKEY_EC:
      if (curve_of(key)) return KeyKind::ecdsa;
      return std::unexpected(fmt::format(
          "is an ECDSA key on {}, and TLS knows P-256, P-384 and P-521 only: {}", group_of(key), kInstead));
    case EVP_PKEY_ED25519:
      return KeyKind::eddsa;
    default:
      return std::unexpected(
          fmt::format("is of the kind {}, which TLS clients do not take: {}", name_of(key), kInstead));
  }
}

std::string name_of(evp_pkey_st* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return "RSA";
    case EVP_PKEY_ED25519:
      return "Ed25519";
    case EVP_PKEY_EC: {
      const Curve* curve = curve_of(key);
      return "ECDSA " + (curve ? std::string(curve->name) : group_of(key));
    }
    default: {
      const char* name = EVP_PKEY_get0_type_name(key);
      return name ? name : "unknown";
    }
  }
}

int bits_of(evp_pkey_st* key) { return EVP_PKEY_get_bits(key); }

OwnedKey make_key(KeyKind kind) {
  CHECK(kind != KeyKind::eddsa);
  OwnedKey key(kind == KeyKind::rsa ? EVP_RSA_gen(2048U) : EVP_EC_gen("P-256"));
  CHECK(key);
  return key;
}

Secret key_as_pem(evp_pkey_st* key) {
  Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));  // wipes what it held
  CHECK(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* text = nullptr;
  auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &text));
  return Secret(std::string_view(text, size));
}

}  // namespace lockgate::tls
