#include "tls/verify.h"

#include <fmt/core.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "tls/certificate.h"
#include "tls/wire.h"

namespace lockgate::tls {
namespace {

int note_untrusted(int holds, X509_STORE_CTX* verification) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  std::string& untrusted = wire_of(*ssl).untrusted;
  if (holds == 0 && certificate && untrusted.empty()) {
    untrusted =
        fmt::format("the certificate of {}, issued by {}", subject_of(certificate), issuer_of(certificate));
  }
  return holds;
}

void end_with_certificate(SSL* ssl) {
  SSL_SESSION* session = SSL_get_session(ssl);
  const X509* certificate = SSL_SESSION_get0_peer(session);
  int days = 0, seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return;
  long left = std::max(0L, days * 86'400L + seconds);
  SSL_SESSION_set_timeout(session, std::min(left, SSL_SESSION_get_timeout(session)));
}

// Before a ticket is sealed, and so whenever the client comes back.
int limit_ticket(SSL* ssl, void*) {
  end_with_certificate(ssl);
  return 1;
}

// The cache has it already, and keeps it.
int limit_session(SSL* ssl, SSL_SESSION*) {
  end_with_certificate(ssl);
  return 0;
}

}  // namespace

void verify_peer(ssl_ctx_st& context, bool required) {
  int mode = SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
  SSL_CTX_set_verify(&context, mode, note_untrusted);
}

void end_sessions_with_certificates(ssl_ctx_st& context) {
  SSL_CTX_set_session_ticket_cb(&context, limit_ticket, nullptr, nullptr);
  SSL_CTX_sess_set_new_cb(&context, limit_session);
}

}  // namespace lockgate::tls
