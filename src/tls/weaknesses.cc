#include "tls/weaknesses.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "tls/ocsp.h"

namespace lockgate::tls {
namespace {

constexpr std::int64_t kFewDays = 15;
constexpr int kShortRsa = 2048;
constexpr std::int64_t kSecond = 1'000'000'000;

using Sentences = std::vector<std::string>;

std::string count(std::int64_t days) { return days == 1 ? "1 day" : fmt::format("{} days", days); }

void tell_of_dates(const Identity& identity, WallTime now, Sentences& sentences) {
  std::int64_t left = days_left(identity, now);
  std::string until = date(identity.not_after / kSecond);
  if (now > identity.not_after) {
    sentences.push_back(fmt::format("the certificate expired on {}: renew it", until));
  } else if (left == 0) {
    sentences.push_back("the certificate expires within a day: renew it");
  } else if (left < kFewDays) {
    sentences.push_back(fmt::format("the certificate expires in {}, on {}: renew it", count(left), until));
  }
  if (now < identity.not_before) {
    sentences.push_back(fmt::format("the certificate is not valid before {}: wait, or set the clock right",
                                    date_and_time(identity.not_before / kSecond)));
  }
  for (const auto& issuer : identity.chain) {
    auto validity = validity_of(issuer.get());
    if (validity && validity->until < now / kSecond) {
      sentences.push_back(
          fmt::format("{} in the chain expired on {}: take the chain that the authority "
                      "offers now",
                      subject_of(issuer.get()), date(validity->until)));
    }
  }
}

void tell_of_chain(const Identity& identity, Sentences& sentences) {
  bool self_signed = is_self_signed(identity.certificate.get());
  if (self_signed) {
    sentences.push_back(
        "the certificate is self-signed: clients refuse it unless they were told to trust it");
  } else if (identity.chain.empty()) {
    sentences.push_back(
        fmt::format("the chain is incomplete: the certificate of the issuer, {}, is missing, "
                    "so many clients cannot verify it; append it to the file",
                    identity.issuer));
  }
  if (identity.was_out_of_order) {
    sentences.push_back(
        "the certificates in the file are out of order; they are sent in the right one, but other programs "
        "may not do so");
  }
  if (identity.left_out.empty()) return;
  sentences.push_back(fmt::format(
      "certificates in the file that do not belong to the chain are not sent: "
      "{}{}",
      identity.left_out.front(),
      identity.left_out.size() == 1 ? "" : fmt::format(" and {} more", identity.left_out.size() - 1)));
}

void tell_of_strength(x509_st* certificate, const std::string& which, Sentences& sentences) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits_of(key) < kShortRsa) {
    sentences.push_back(fmt::format("{} has an RSA key of {} bits, which is too short: clients want {}",
                                    which, bits_of(key), kShortRsa));
  }
  std::string digest = weak_digest_of(certificate);
  if (!digest.empty() && !is_self_signed(certificate)) {
    sentences.push_back(
        fmt::format("{} is signed with {}, which clients no longer take: have it made anew", which, digest));
  }
}

void tell_of_names(const Identity& identity, Sentences& sentences) {
  if (identity.names.empty()) {
    sentences.push_back("the certificate is for no name: no client will find it fitting");
  } else if (has_no_alternative_names(identity.certificate.get())) {
    sentences.push_back(
        fmt::format("the certificate has {} as common name only, which browsers ignore: have "
                    "it made with subject alternative names",
                    identity.names.front()));
  }
}

void tell_of_stapling(const Identity& identity, Sentences& sentences) {
  if (!must_be_stapled(identity.certificate.get())) return;
  if (!responder_of(identity.certificate.get())) {
    sentences.push_back(
        "the certificate wants to be shown with its issuer's OCSP answer (must-staple), but names no "
        "responder that can be asked by http: have it made anew without that");
  } else if (!issuer_in_chain(identity)) {
    sentences.push_back(
        "the certificate wants to be shown with its issuer's OCSP answer (must-staple), which cannot be had "
        "without the issuer's certificate: append that to the file");
  }
}

}  // namespace

std::int64_t days_left(const Identity& identity, WallTime now) {
  constexpr std::int64_t kDay = 86'400;
  std::int64_t seconds = identity.not_after / kSecond - now / kSecond;
  return seconds / kDay - (seconds % kDay < 0 ? 1 : 0);
}

std::vector<std::string> weaknesses(const Identity& identity, WallTime now) {
  Sentences sentences;
  tell_of_dates(identity, now, sentences);
  tell_of_chain(identity, sentences);
  tell_of_strength(identity.certificate.get(), "the certificate", sentences);
  for (const auto& issuer : identity.chain)
    tell_of_strength(issuer.get(), subject_of(issuer.get()) + " in the chain", sentences);
  tell_of_names(identity, sentences);
  tell_of_stapling(identity, sentences);
  ERR_clear_error();
  return sentences;
}

}  // namespace lockgate::tls
