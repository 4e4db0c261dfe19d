// Identity: a certificate with its chain and its private key, as a site shows it to
// clients or an upstream is shown it.
//
// Read from PEM files, PKCS#12 files, or made on the spot (self_signed.h). Immutable;
// any thread. Whatever is wrong with a file is told in a sentence: which file, what,
// what to do. A password is never in such a sentence, and never asked for.
#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "tls/certificate.h"
#include "tls/key.h"

namespace lockgate::tls {

struct Identity {
  OwnedKey key;
  OwnedCertificate certificate;
  std::vector<OwnedCertificate> chain;  // issuers, nearest first, without the root if it was left out

  KeyKind kind = KeyKind::rsa;
  std::vector<std::string> names;  // normalized; wildcards as "*.example.com", IP addresses as text
  std::string subject, issuer;     // RFC 4514
  std::string serial;              // hexadecimal
  std::string fingerprint;         // SHA-256 of the certificate, hexadecimal
  WallTime not_before = 0, not_after = 0;

  bool was_out_of_order = false;      // the certificates in the file were
  std::vector<std::string> left_out;  // subjects of certificates in the file that are not of the chain
};
using SharedIdentity = std::shared_ptr<const Identity>;
using FoundIdentity = std::expected<SharedIdentity, std::string>;

/// What is read.
struct PemFiles {
  std::string chain;  // certificate and issuers
  std::string key;    // empty: in `chain`, too
};

/// Reads PEM files. The key must be the certificate's; the order of the certificates does not matter. The
/// password, here and below, is empty where there is none.
FoundIdentity read_pem(const PemFiles& files, std::string_view password);
/// Reads a PKCS#12 file, also one with the ciphers of old (RC2-40, 3DES).
FoundIdentity read_pkcs12(const std::string& path, std::string_view password);

/// The same from memory. If `key` is empty, it is in `chain`. Sentences call the two by the names in
/// `called`.
FoundIdentity parse_pem(std::string_view chain, std::string_view key, std::string_view password,
                        const PemFiles& called = {"the chain", ""});
FoundIdentity parse_pkcs12(Bytes bytes, std::string_view password, std::string_view called = "the file");

/// Joins what belongs together: the certificate of the key, and its issuers among the other certificates.
FoundIdentity identity_of(std::vector<OwnedCertificate> certificates, OwnedKey key, const PemFiles& called);

}  // namespace lockgate::tls
