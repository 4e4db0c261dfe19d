#include "tls.h"

#include <openssl/err.h>

#include <string_view>

#include "failure.h"

namespace lockgate::bench {
namespace {

constexpr const char* kName = "app.example.com";
constexpr const char* kSuite = "TLS_AES_128_GCM_SHA256";
constexpr const char* kCipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
constexpr std::size_t kReadAhead = 128UL * 1024;

void done(long outcome, std::string_view what) {
  if (outcome != 1) fail(what, ERR_reason_error_string(ERR_peek_error()));
}

OwnedContext new_context(const SSL_METHOD* method, int version) {
  OwnedContext context(SSL_CTX_new(method));
  if (!context) fail("SSL_CTX_new");
  done(SSL_CTX_set_min_proto_version(context.get(), version), "the version of TLS");
  done(SSL_CTX_set_max_proto_version(context.get(), version), "the version of TLS");
  done(SSL_CTX_set_ciphersuites(context.get(), kSuite), kSuite);
  done(SSL_CTX_set_cipher_list(context.get(), kCipher), kCipher);
  // In TLS 1.2 the group of the certificate's key has to be offered as well.
  done(SSL_CTX_set1_groups_list(context.get(), version == TLS1_3_VERSION ? "X25519" : "X25519:P-256"),
       "groups");
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), kReadAhead);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

}  // namespace

TlsClient::TlsClient(Opening opening)
    : opening_(opening),
      context_(
          new_context(TLS_client_method(), opening == Opening::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION)) {
  if (opening != Opening::resumed) return;
  SSL_CTX_set_app_data(context_.get(), this);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), keep_ticket);
}

void TlsClient::offer_http() {
  constexpr std::string_view kOffer = "\x08http/1.1";
  const auto* bytes = reinterpret_cast<const unsigned char*>(kOffer.data());
  if (SSL_CTX_set_alpn_protos(context_.get(), bytes, kOffer.size()) != 0) fail("ALPN");
}

OwnedSsl TlsClient::call(bool resuming) {
  OwnedSsl ssl(SSL_new(context_.get()));
  if (!ssl) fail("SSL_new");
  SSL_set_connect_state(ssl.get());
  done(SSL_set_tlsext_host_name(ssl.get(), kName), kName);
  if (!resuming) return ssl;
  if (tickets_.empty()) fail("client: there is no ticket to come back with");
  done(SSL_set_session(ssl.get(), tickets_.back().get()), "resuming");
  tickets_.pop_back();
  return ssl;
}

void TlsClient::check(const Channel& channel, bool resuming) const {
  SSL* ssl = channel.ssl();
  const bool old = opening_ == Opening::tls1_2;
  if (SSL_version(ssl) != (old ? TLS1_2_VERSION : TLS1_3_VERSION)) fail("client: another version of TLS");
  if (SSL_get_cipher_name(ssl) != std::string_view(old ? kCipher : kSuite)) fail("client: another cipher");
  if (SSL_get_negotiated_group(ssl) != NID_X25519) fail("client: another group");
  if ((SSL_session_reused(ssl) == 1) != resuming) {
    fail(resuming ? "client: a ticket was not taken" : "client: no full handshake");
  }
  int signature = NID_undef;
  if (resuming) return;
  if (SSL_get_peer_signature_type_nid(ssl, &signature) != 1 || signature != EVP_PKEY_EC) {
    fail("client: the certificate is not ECDSA");
  }
}

int TlsClient::keep_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  client->tickets_.emplace_back(session);
  return 1;
}

TlsServer::TlsServer(const std::string& pem) : context_(new_context(TLS_server_method(), TLS1_3_VERSION)) {
  done(SSL_CTX_use_certificate_chain_file(context_.get(), pem.c_str()), pem);
  done(SSL_CTX_use_PrivateKey_file(context_.get(), pem.c_str(), SSL_FILETYPE_PEM), pem);
}

OwnedSsl TlsServer::answer() {
  OwnedSsl ssl(SSL_new(context_.get()));
  if (!ssl) fail("SSL_new");
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace lockgate::bench
