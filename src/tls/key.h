// A private or public key, and what there is to say of it.
//
// Only kinds that TLS clients of today take pass kind_of(): RSA, ECDSA on the three
// curves of RFC 8446, and Ed25519. A key belongs to whoever holds the OwnedKey.
#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "base/owned.h"
#include "base/secret.h"

struct evp_pkey_st;

namespace lockgate::tls {

void free_key(evp_pkey_st* key);
using OwnedKey = Owned<evp_pkey_st, free_key>;

/// Which of a site's identities libssl can choose between by the hello; one of each at the most.
enum class KeyKind : std::uint8_t { rsa, ecdsa, eddsa };

/// The kind of a key that can be used, or of one that cannot, why: "is of the kind DSA, ...".
std::expected<KeyKind, std::string> kind_of(evp_pkey_st* key);
/// "RSA", "ECDSA P-256", "Ed25519", or what OpenSSL calls it.
std::string name_of(evp_pkey_st* key);
int bits_of(evp_pkey_st* key);

/// A new key, RSA with 2048 bits or ECDSA on P-256; `kind` is one of these two.
OwnedKey make_key(KeyKind kind);
/// As PEM, PKCS#8 and not encrypted.
Secret key_as_pem(evp_pkey_st* key);

}  // namespace lockgate::tls
