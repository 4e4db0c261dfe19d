#include "tls/session.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "tls/certificate.h"

namespace lockgate::tls {
namespace {

struct Scheme {
  int key, digest;
  std::string_view name;
};
// By the names of RFC 8446, 4.2.3, without the curve, which libssl does not tell.
constexpr auto kSchemes = std::to_array<Scheme>({
    {EVP_PKEY_EC, NID_sha256, "ecdsa_sha256"},
    {EVP_PKEY_EC, NID_sha384, "ecdsa_sha384"},
    {EVP_PKEY_EC, NID_sha512, "ecdsa_sha512"},
    {EVP_PKEY_EC, NID_sha1, "ecdsa_sha1"},
    {EVP_PKEY_EC, NID_sha224, "ecdsa_sha224"},
    {EVP_PKEY_RSA_PSS, NID_sha256, "rsa_pss_sha256"},
    {EVP_PKEY_RSA_PSS, NID_sha384, "rsa_pss_sha384"},
    {EVP_PKEY_RSA_PSS, NID_sha512, "rsa_pss_sha512"},
    {EVP_PKEY_RSA, NID_sha256, "rsa_pkcs1_sha256"},
    {EVP_PKEY_RSA, NID_sha384, "rsa_pkcs1_sha384"},
    {EVP_PKEY_RSA, NID_sha512, "rsa_pkcs1_sha512"},
    {EVP_PKEY_RSA, NID_sha224, "rsa_pkcs1_sha224"},
    {EVP_PKEY_RSA, NID_sha1, "rsa_pkcs1_sha1"},
    {EVP_PKEY_RSA, NID_md5_sha1, "rsa_pkcs1_md5_sha1"},
    {EVP_PKEY_ED25519, NID_undef, "ed25519"},
    {EVP_PKEY_ED448, NID_undef, "ed448"},
});

// The scheme of the server's signature: the peer's, or our own if we are the server.
std::string_view signature_of(SSL* ssl) {
  int key = 0, digest = NID_undef;
  // RSA key exchange has none; libssl tells one all the same, on the server's side.
  if (SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(ssl)) == NID_kx_rsa) return "";
  if (SSL_is_server(ssl)) {
    if (SSL_get_signature_type_nid(ssl, &key) != 1) return "";
    SSL_get_signature_nid(ssl, &digest);
  } else {
    if (SSL_get_peer_signature_type_nid(ssl, &key) != 1) return "";
    SSL_get_peer_signature_nid(ssl, &digest);
  }
  const auto* found = std::ranges::find_if(
      kSchemes, [&](const Scheme& scheme) { return scheme.key == key && scheme.digest == digest; });
  return found == kSchemes.end() ? "other" : found->name;
}

std::string_view group_of(SSL* ssl) {
  int group = static_cast<int>(SSL_get_negotiated_group(ssl));
  const char* name = group > 0 ? SSL_group_to_name(ssl, group) : nullptr;
  return name ? name : "";
}

std::string common_name_of(X509* certificate) {
  std::array<char, 256> room{};
  int size =
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, room.data(), room.size());
  return size > 0 ? std::string(room.data(), static_cast<std::size_t>(size)) : "";
}

std::vector<OwnedCertificate> issuers_of_peer(const SSL* ssl) {
  std::vector<OwnedCertificate> issuers;
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    X509* issuer = sk_X509_value(chain, i);
    X509_up_ref(issuer);
    issuers.emplace_back(issuer);
  }
  return issuers;
}

}  // namespace

Session session_of(const ssl_st& given) {
  auto* ssl = const_cast<SSL*>(&given);  // libssl's questions do not say that they change nothing
  Session session{.version = static_cast<std::uint16_t>(SSL_version(ssl)),
                  .protocol = SSL_get_version(ssl),
                  .resumed = SSL_session_reused(ssl) == 1};
  if (const char* cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl))) session.cipher = cipher;
  session.cipher_bits = static_cast<std::uint16_t>(SSL_get_cipher_bits(ssl, nullptr));
  session.group = group_of(ssl);
  if (!session.resumed) session.signature = signature_of(ssl);
  const unsigned char* alpn = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &alpn, &size);
  session.alpn.assign(reinterpret_cast<const char*>(alpn), size);
  if (X509* own = SSL_get_certificate(ssl); own && SSL_is_server(ssl)) session.own_serial = serial_of(own);
  session.peer_certificate.reset(SSL_get1_peer_certificate(ssl));
  if (X509* peer = session.peer_certificate.get()) {
    session.peer_subject = subject_of(peer);
    session.peer_common_name = common_name_of(peer);
    session.peer_serial = serial_of(peer);
    session.peer_issuers = issuers_of_peer(ssl);
  }
  return session;
}

}  // namespace lockgate::tls
