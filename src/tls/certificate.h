// What one certificate says, as plain values. Pure functions; any thread.
//
// A certificate that OpenSSL could decode may still hold nonsense in any field: names
// that are no names are left out, and texts are printable ASCII whatever was in them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/owned.h"

struct x509_st;
struct asn1_string_st;

namespace lockgate::tls {

void free_certificate(x509_st* certificate);
using OwnedCertificate = Owned<x509_st, free_certificate>;

/// The names it is for: of the DNS, normalized, wildcards as "*.example.com", and IP addresses. The common
/// name counts only where there are no alternative names.
std::vector<std::string> names_of(x509_st* certificate);
/// True if names_of() had to take the common name, which browsers ignore.
bool has_no_alternative_names(x509_st* certificate);

/// Its alternative names alone, also those of people and services ("ann@example.com",
/// "spiffe://example.com/x"). None has a comma, and none of one kind looks like one of another: what could is
/// left out.
std::vector<std::string> alternative_names_of(x509_st* certificate);

/// As RFC 4514 writes them.
std::string subject_of(x509_st* certificate);
std::string issuer_of(x509_st* certificate);
/// Hexadecimal.
std::string serial_of(x509_st* certificate);
/// SHA-256 of the certificate, hexadecimal.
std::string fingerprint_of(x509_st* certificate);
/// SHA-256 of the public key: "sha256/..." in base64, as pins are written.
std::string pin_of(x509_st* certificate);

/// All of it: DER in base64 on one line, and PEM.
std::string base64_of(x509_st* certificate);
std::string pem_of(x509_st* certificate);

/// Seconds since 1970. Not WallTime, which ends in 2262 while certificates may last until 9999.
struct Validity {
  std::int64_t from = 0, until = 0;
};
/// None if the dates are no dates.
std::optional<Validity> validity_of(x509_st* certificate);
/// Of a time in a certificate or an answer about one; none if it is no time.
std::optional<std::int64_t> seconds_of(const asn1_string_st* time);
/// "2027-01-31", "2027-01-31T12:00:00Z".
std::string date(std::int64_t seconds);
std::string date_and_time(std::int64_t seconds);

/// "sha256WithRSAEncryption".
std::string signature_algorithm_of(x509_st* certificate);
/// "SHA-1" or another digest that no longer proves anything; empty for good ones.
std::string weak_digest_of(x509_st* certificate);
bool is_self_signed(x509_st* certificate);
/// True if `issuer` signed `certificate`, which is verified.
bool is_issued_by(x509_st* certificate, x509_st* issuer);

}  // namespace lockgate::tls
