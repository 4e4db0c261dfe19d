#include "tls/client_side.h"

#include <fmt/core.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/check.h"
#include "base/digest.h"
#include "base/name_pattern.h"
#include "tls/certificate.h"
#include "tls/verify.h"

namespace lockgate::tls {
namespace {

using std::unexpected;

constexpr std::size_t kMostSessions = 1024;

int take_session(SSL* ssl, SSL_SESSION* session) {
  auto* side = static_cast<ClientSide*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return side->keep(wire_of(*ssl).peer, *session) ? 1 : 0;
}

void expect_name(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* terms = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(terms, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(terms, name.c_str()) == 1) return;
  CHECK(X509_VERIFY_PARAM_set1_host(terms, name.c_str(), name.size()) == 1);
}

}  // namespace

void free_session(ssl_session_st* session) { SSL_SESSION_free(session); }

Outcome<std::shared_ptr<ClientSide>> ClientSide::make(const Library& library, const config::TlsClient& tls,
                                                      const SharedIdentity& identity, x509_store_st* trust) {
  auto side = std::make_shared<ClientSide>();
  auto context = make_context(library, End::client, tls);
  if (!context) return unexpected(context.error());
  side->context_ = std::move(*context);
  side->tls_ = tls;
  side->alpn_ = alpn_list(tls.alpn);
  SSL_CTX* ssl = side->context_.get();
  // Servers of long ago do not say that they renegotiate safely (RFC 5746); we never renegotiate.
  if (tls.profile == config::TlsProfile::legacy) SSL_CTX_set_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT);
  if (identity) {
    if (auto shown = show(*ssl, library, *identity); !shown) return unexpected(shown.error());
  }
  if (tls.verify != config::Verify::off) {
    SSL_CTX_set1_cert_store(ssl, trust);
    verify_peer(*ssl, true);
  }
  SSL_CTX_set_app_data(ssl, side.get());
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, take_session);
  return side;
}

TlsStream::Start ClientSide::call(const Call& call) {
  OwnedSsl ssl(SSL_new(context_.get()));
  CHECK(ssl);
  SSL_set_connect_state(ssl.get());
  std::string server_name = server_name_for(call), verify_name = verify_name_for(call, server_name);
  std::string alpn = alpn_.empty() ? std::string(call.client_alpn) : alpn_;
  if (!server_name.empty()) CHECK(SSL_set_tlsext_host_name(ssl.get(), server_name.c_str()) == 1);
  bool any_name = call.on_trial && tls_.verify_name.empty() && asks_for_clients_name(call);
  if (tls_.verify == config::Verify::full && !any_name) expect_name(ssl.get(), verify_name);
  if (!alpn.empty()) {
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned int>(alpn.size()));
  }
  // A digest, for clients send names and protocols of any length, and sessions are kept for many.
  std::string peer =
      hex(sha256(as_bytes(fmt::format("{}\n{}\n{}\n{}", call.endpoint, server_name, verify_name, alpn))));
  if (auto known = sessions_.find(peer); known != sessions_.end()) {
    SSL_set_session(ssl.get(), known->second.get());
    // A TLS 1.3 ticket is for one use, lest an observer links two connections (RFC 8446, C.4).
    if (SSL_SESSION_get_protocol_version(known->second.get()) >= TLS1_3_VERSION) sessions_.erase(known);
  }
  return {.ssl = std::move(ssl), .peer = std::move(peer), .side = shared_from_this()};
}

bool ClientSide::asks_for_clients_name(const Call& call) const {
  return tls_.server_name == "carry" || (tls_.server_name == "auto" && is_ip_literal(call.host));
}

std::string ClientSide::server_name_for(const Call& call) const {
  if (tls_.server_name == "off") return "";
  if (tls_.server_name == "carry") return std::string(call.client_name);
  if (tls_.server_name != "auto") return tls_.server_name;
  return std::string(is_ip_literal(call.host) ? call.client_name : call.host);
}

std::string ClientSide::verify_name_for(const Call& call, const std::string& server_name) const {
  if (!tls_.verify_name.empty()) return tls_.verify_name;
  return server_name.empty() ? std::string(call.host) : server_name;
}

bool ClientSide::is_pinned(TlsStream& stream) const {
  if (tls_.pins.empty()) return true;
  X509* certificate = SSL_get0_peer_certificate(&stream.ssl());
  return certificate && std::ranges::find(tls_.pins, pin_of(certificate)) != tls_.pins.end();
}

bool ClientSide::is_wish_of_client(const Call& call, const Error& error) const {
  const Detail& detail = error.detail;
  if (detail.kind == DetailKind::alert && detail.number == SSL_AD_NO_APPLICATION_PROTOCOL)
    return alpn_.empty();
  bool unknown_name = detail.kind == DetailKind::alert && detail.number == SSL_AD_UNRECOGNIZED_NAME;
  bool other_name =
      detail.kind == DetailKind::certificate &&
      (detail.number == X509_V_ERR_HOSTNAME_MISMATCH || detail.number == X509_V_ERR_IP_ADDRESS_MISMATCH);
  return (unknown_name || (other_name && tls_.verify_name.empty())) && asks_for_clients_name(call);
}

bool ClientSide::keep(const std::string& peer, ssl_session_st& session) {
  if (SSL_SESSION_is_resumable(&session) != 1) return false;
  if (sessions_.size() >= kMostSessions) sessions_.erase(sessions_.begin());
  sessions_.insert_or_assign(peer, OwnedSession(&session));
  return true;
}

}  // namespace lockgate::tls
