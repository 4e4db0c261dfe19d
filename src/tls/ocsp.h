// OCSP: what a certificate's issuer says of it, for stapling (RFC 6960; RFC 5019 for
// how it is asked; RFC 6066, 8).
//
// Whom to ask, the question, and what is to be thought of the answer, which anybody on
// the way may have made. Pure functions; any thread. Refusals are sentences.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "tls/identity.h"

namespace lockgate::tls {

/// Whom to ask: what an http URL says.
struct Responder {
  std::string host;  // a normalized name or an address
  std::uint16_t port = 80;
  std::string target;  // of the request: path and query

  /// The host as a request names it: with its port unless that is 80, an IPv6 address in brackets.
  std::string authority() const;
  std::string url() const { return "http://" + authority() + target; }
  bool operator==(const Responder&) const = default;
};

/// None if it is not http: an answer proves itself, and asking over TLS would ask for the next answer (RFC
/// 5280, 8).
std::optional<Responder> parse_responder(std::string_view url);
/// The first one that `certificate` names and that can be asked (authority information access, RFC 5280,
/// 4.2.2.1).
std::optional<Responder> responder_of(x509_st* certificate);
/// Whether clients refuse `certificate` without an answer (TLS feature, RFC 7633, 4.2.3).
bool must_be_stapled(x509_st* certificate);

/// The certificate that issued the identity's own; null if it is not in the chain, or there is none.
x509_st* issuer_in_chain(const Identity& identity);

/// The question in DER. Its identifier is of SHA-1, as responders expect it, and it has no nonce, so that
/// answers can be made in advance (RFC 5019, 2.1.1).
std::vector<std::byte> ocsp_request(x509_st* certificate, x509_st* issuer);

/// The most bytes of an answer: TLS clients up to 1.2 take the message that it is in only where that fits
/// into one record.
inline constexpr std::size_t kLargestStaple = 16'000;

/// Why an answer is of no use.
struct OcspRefusal {
  std::string why;
  bool revoked = false;  // the issuer says so
};
/// Until when `response` says that `certificate` is good: only if `issuer` or whom it has appointed signed
/// it, its time has come and is not over, and it is not too large. One that names no end has an hour.
std::expected<WallTime, OcspRefusal> check_ocsp_response(Bytes response, x509_st* certificate,
                                                         x509_st* issuer, WallTime now);

}  // namespace lockgate::tls
