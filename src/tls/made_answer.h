// Answers of OCSP responders as a test wants them, good and bad. For tests only.
#pragma once
#include <openssl/ocsp.h>

#include <string>
#include <vector>

#include "tls/made_certificate.h"

namespace lockgate::tls::made {

/// What is said of a certificate.
struct Answer {
  int status = V_OCSP_CERTSTATUS_GOOD;
  std::int64_t from = kSecondsNow - 3600, until = kSecondsNow + 7 * 86'400L;  // 0: it does not say
  const EVP_MD* digest = EVP_sha1();                                          // of the identifier
  bool with_signer = false;  // the signer's certificate comes along
};

inline ASN1_GENERALIZEDTIME* at(std::int64_t seconds) {
  return seconds == 0 ? nullptr : ASN1_GENERALIZEDTIME_set(nullptr, seconds);
}

/// In DER: about a certificate of `issuer`, signed by `signer`.
inline std::string answer_about(x509_st* certificate, const Signed& issuer, const Signed& signer,
                                const Answer& answer = {}) {
  OCSP_BASICRESP* basic = OCSP_BASICRESP_new();
  OCSP_CERTID* id = OCSP_cert_to_id(answer.digest, certificate, issuer.certificate.get());
  ASN1_GENERALIZEDTIME *from = at(answer.from), *until = at(answer.until), *revoked = at(answer.from);
  bool is_revoked = answer.status == V_OCSP_CERTSTATUS_REVOKED;
  CHECK(OCSP_basic_add1_status(basic, id, answer.status, is_revoked ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : 0,
                               is_revoked ? revoked : nullptr, from, until));
  unsigned long flags = answer.with_signer ? 0 : OCSP_NOCERTS;
  CHECK(OCSP_basic_sign(basic, signer.certificate.get(), signer.key.get(), EVP_sha256(), nullptr, flags) ==
        1);
  OCSP_RESPONSE* response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
  unsigned char* der = nullptr;
  int size = i2d_OCSP_RESPONSE(response, &der);
  CHECK(size > 0);
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  OCSP_RESPONSE_free(response);
  OCSP_BASICRESP_free(basic);
  OCSP_CERTID_free(id);
  for (auto* time : {from, until, revoked}) ASN1_GENERALIZEDTIME_free(time);
  return text;
}

}  // namespace lockgate::tls::made
