#include "tls/encryption.h"

#include <fmt/core.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include <array>
#include <optional>

#include "base/check.h"
#include "base/owned.h"

namespace lockgate::tls {
namespace {

using Outcome = std::expected<void, std::string>;
using Pbes1 = Owned<PBEPARAM, PBEPARAM_free>;
using Pbes2 = Owned<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2 = Owned<PBKDF2PARAM, PBKDF2PARAM_free>;
using Scrypt = Owned<SCRYPT_PARAMS, SCRYPT_PARAMS_free>;

struct Library {
  OSSL_LIB_CTX* context = nullptr;
  bool has_old_ciphers = false;
};

// Never freed: providers that are unloaded could not be loaded again inside the sandbox.
const Library& library() {
  static const Library made = [] {
    Library library{.context = OSSL_LIB_CTX_new()};
    CHECK(library.context && OSSL_PROVIDER_load(library.context, "default"));
    library.has_old_ciphers = OSSL_PROVIDER_load(library.context, "legacy") != nullptr;
    return library;
  }();
  return made;
}

int number_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

std::string name_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  std::array<char, 80> text{};
  OBJ_obj2txt(text.data(), text.size(), object, 0);
  return text.data();
}

template <class Parameters>
Parameters parameters_of(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  return Parameters(
      static_cast<typename Parameters::pointer>(ASN1_TYPE_unpack_sequence(item, algorithm->parameter)));
}

// What a file gives as a number, if it is one that can be counted with at all.
std::optional<std::int64_t> count_of(const ASN1_INTEGER* integer) {
  std::int64_t value = 0;
  if (!integer || ASN1_INTEGER_get_int64(&value, integer) != 1 || value < 1 || value > Rounds::kMost)
    return {};
  return value;
}

// The schemes of PKCS#5 version 1 and of PKCS#12, with the cipher that each of them is bound to.
bool is_bound_scheme(int scheme) {
  switch (scheme) {
    case NID_pbeWithMD2AndDES_CBC:
    case NID_pbeWithMD2AndRC2_CBC:
    case NID_pbeWithMD5AndDES_CBC:
    case NID_pbeWithMD5AndRC2_CBC:
    case NID_pbeWithSHA1AndDES_CBC:
    case NID_pbeWithSHA1AndRC2_CBC:
    case NID_pbe_WithSHA1And128BitRC4:
    case NID_pbe_WithSHA1And40BitRC4:
    case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
    case NID_pbe_WithSHA1And128BitRC2_CBC:
    case NID_pbe_WithSHA1And40BitRC2_CBC:
      return true;
    default:
      return false;
  }
}

bool is_old_cipher(int cipher) {
  switch (cipher) {
    case NID_des_cbc:
    case NID_rc2_cbc:
    case NID_rc2_40_cbc:
    case NID_rc2_64_cbc:
    case NID_rc4:
    case NID_rc5_cbc:
      return true;
    default:
      return false;
  }
}

bool needs_old_ciphers(const X509_ALGOR* algorithm) {
  int scheme = number_of(algorithm);
  if (scheme == NID_pbes2) {
    auto parameters = parameters_of<Pbes2>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
    return parameters && is_old_cipher(number_of(parameters->encryption));
  }
  // 3DES is not among the old ones, however old it is.
  return is_bound_scheme(scheme) && scheme != NID_pbe_WithSHA1And3_Key_TripleDES_CBC &&
         scheme != NID_pbe_WithSHA1And2_Key_TripleDES_CBC;
}

// The rounds of a derivation of PKCS#5 version 2; none if they cannot be known or are beyond all measure.
// Those of scrypt are about as long as the others.
std::optional<std::int64_t> rounds_of_derivation(const X509_ALGOR* derivation) {
  if (number_of(derivation) == NID_id_pbkdf2) {
    auto parameters = parameters_of<Pbkdf2>(derivation, ASN1_ITEM_rptr(PBKDF2PARAM));
    return parameters ? count_of(parameters->iter) : std::nullopt;
  }
  if (number_of(derivation) != NID_id_scrypt) return {};
  auto parameters = parameters_of<Scrypt>(derivation, ASN1_ITEM_rptr(SCRYPT_PARAMS));
  if (!parameters) return {};
  std::int64_t product = 1;
  for (const ASN1_INTEGER* factor :
       {parameters->costParameter, parameters->blockSize, parameters->parallelizationParameter}) {
    auto count = count_of(factor);
    if (!count || product > Rounds::kMost) return {};
    product *= *count;
  }
  return product;
}

std::optional<std::int64_t> rounds_of(const X509_ALGOR* algorithm) {
  if (number_of(algorithm) == NID_pbes2) {
    auto parameters = parameters_of<Pbes2>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
    return parameters ? rounds_of_derivation(parameters->keyfunc) : std::nullopt;
  }
  auto parameters = parameters_of<Pbes1>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
  return parameters ? count_of(parameters->iter) : std::nullopt;
}

}  // namespace

void load_old_ciphers() { library(); }
ossl_lib_ctx_st* decrypting_library() { return library().context; }

bool Rounds::spend(std::int64_t count) {
  if (count < 0 || count > left_) return false;
  left_ -= count;
  return true;
}

Outcome Rounds::spend(const X509_algor_st* algorithm) {
  int scheme = number_of(algorithm);
  if (scheme != NID_pbes2 && !is_bound_scheme(scheme)) {
    return std::unexpected(fmt::format(
        "is encrypted by {}, which Lockgate does not know: encrypt it anew, by AES", name_of(algorithm)));
  }
  auto rounds = rounds_of(algorithm);
  if (!rounds || !spend(*rounds)) return std::unexpected(too_many_rounds());
  return {};
}

std::string too_many_rounds() {
  return fmt::format(
      "is encrypted in a way that is damaged or would take too long to decrypt: {} rounds are the most; "
      "encrypt it anew with fewer",
      Rounds::kMost);
}

std::string not_decrypted(const X509_algor_st* algorithm, std::string_view password) {
  if (!needs_old_ciphers(algorithm) || library().has_old_ciphers) return not_decrypted(password);
  return fmt::format(
      "is encrypted by {}, a cipher of old, for which OpenSSL's module legacy.so is needed, and it cannot be "
      "loaded: install it (on Debian it is in libssl3), or encrypt the file anew, by AES",
      name_of(algorithm));
}

std::string not_decrypted(std::string_view password) {
  return password.empty() ? "is encrypted, and no password is given"
                          : "is encrypted, and the password is wrong or the file damaged";
}

}  // namespace lockgate::tls
