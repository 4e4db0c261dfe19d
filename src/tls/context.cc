#include "tls/context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <vector>

#include "base/check.h"
#include "tls/files.h"

namespace lockgate::tls {
namespace {

using std::unexpected;

constexpr const char* kSystemTrust = "/etc/ssl/certs/ca-certificates.crt";

// AES-128-GCM costs less than AES-256-GCM and is as good against anything that is known.
constexpr const char* kSuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr const char* kForwardSecret =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+"
    "CHACHA20:"
    "!aNULL:@SECLEVEL=2";
// With what programs of long ago have: CBC, SHA-1, RSA key exchange, short keys.
constexpr const char* kEverything =
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:AESGCM:AES:!aNULL:!PSK:!SRP:@"
    "SECLEVEL=0";

// As libssl numbers them; `automatic` is what has no bound.
int number_of(config::TlsVersion version) {
  constexpr std::array kNumbers{0, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
  return kNumbers[static_cast<std::size_t>(version)];
}

std::string list_or(const std::vector<std::string>& list, const char* usual) {
  return list.empty() ? usual : fmt::format("{}", fmt::join(list, ":"));
}

std::string ciphers_of(const config::TlsProtocol& protocol) {
  bool legacy = protocol.profile == config::TlsProfile::legacy;
  if (protocol.ciphers.empty()) return legacy ? kEverything : kForwardSecret;
  std::string list = list_or(protocol.ciphers, "");
  // The level decides which keys and digests are good enough; without a word of it the profile's holds.
  return list.contains("@SECLEVEL") ? list : list + (legacy ? ":@SECLEVEL=0" : ":@SECLEVEL=2");
}

Outcome<void> wish(bool granted, std::string_view key, const std::string& value) {
  if (granted) return {};
  return unexpected(
      fmt::format("`{}` cannot be `{}`: {} (`openssl ciphers -v` and `openssl list` show what there is)", key,
                  value, why()));
}

Outcome<void> follow(SSL_CTX* context, const config::TlsProtocol& protocol) {
  SSL_CTX_set_min_proto_version(context, number_of(config::lowest_version(protocol)));
  SSL_CTX_set_max_proto_version(context, number_of(protocol.max_version));
  std::string value = ciphers_of(protocol);
  auto granted = wish(SSL_CTX_set_cipher_list(context, value.c_str()) == 1, "ciphers", value);
  if (!granted) return granted;
  value = list_or(protocol.cipher_suites, kSuites);
  granted = wish(SSL_CTX_set_ciphersuites(context, value.c_str()) == 1, "cipher_suites", value);
  if (!granted) return granted;
  value = list_or(protocol.groups, kGroups);
  granted = wish(SSL_CTX_set1_groups_list(context, value.c_str()) == 1, "groups", value);
  if (!granted || protocol.signature_algorithms.empty()) return granted;
  value = list_or(protocol.signature_algorithms, "");
  return wish(SSL_CTX_set1_sigalgs_list(context, value.c_str()) == 1, "signature_algorithms", value);
}

// The key and certificate over again, as this library's own, so that no count or cache is shared with others.
Outcome<EVP_PKEY*> copy_key(const Library& library, EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PrivateKey(key, &der);
  if (size <= 0) return unexpected(why());
  const unsigned char* at = der;
  EVP_PKEY* copy = d2i_AutoPrivateKey_ex(nullptr, &at, size, library.handle(), nullptr);
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  if (!copy) return unexpected(why());
  return copy;
}

Owned<X509, free_certificate> copy_certificate(const Library& library, X509* certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509(certificate, &der);
  CHECK(size > 0);
  const unsigned char* at = der;
  X509* copy = X509_new_ex(library.handle(), nullptr);
  CHECK(copy && d2i_X509(&copy, &at, size));
  OPENSSL_free(der);
  return Owned<X509, free_certificate>(copy);
}

}  // namespace

void free_context(ssl_ctx_st* context) { SSL_CTX_free(context); }
void free_store(x509_store_st* store) { X509_STORE_free(store); }

Outcome<OwnedContext> make_context(const Library& library, End end, const config::TlsProtocol& protocol) {
  const SSL_METHOD* method = end == End::server ? TLS_server_method() : TLS_client_method();
  OwnedContext context(SSL_CTX_new_ex(library.handle(), nullptr, method));
  CHECK(context);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (auto followed = follow(context.get(), protocol); !followed) return unexpected(followed.error());
  return context;
}

Outcome<void> show(ssl_ctx_st& context, const Library& library, const Identity& identity) {
  auto key = copy_key(library, identity.key.get());
  if (!key) return unexpected(key.error());
  OwnedKey owned(*key);
  STACK_OF(X509)* chain = sk_X509_new_null();
  for (const auto& issuer : identity.chain)
    sk_X509_push(chain, copy_certificate(library, issuer.get()).release());
  auto leaf = copy_certificate(library, identity.certificate.get());
  bool taken = SSL_CTX_use_cert_and_key(&context, leaf.get(), owned.get(), chain, 1) == 1;
  sk_X509_pop_free(chain, X509_free);
  if (taken) return {};
  return unexpected(fmt::format("the certificate of {} cannot be shown: {}", identity.subject, why()));
}

const std::string& trust_path(const std::string& ca_file) {
  static const std::string system = kSystemTrust;
  return ca_file.empty() ? system : ca_file;
}

Outcome<OwnedStore> read_trust(const Library& library, const std::string& ca_file) {
  OwnedStore store(X509_STORE_new());
  CHECK(store);
  const std::string& path = trust_path(ca_file);
  if (X509_STORE_load_file_ex(store.get(), path.c_str(), library.handle(), nullptr) == 1) return store;
  const char* hint = ca_file.empty() ? " (install the package ca-certificates, or set `ca_file`)" : "";
  return unexpected(fmt::format("the trusted certificates in {} cannot be read: {}{}", path, why(), hint));
}

Outcome<void> add_revocations(x509_store_st& store, const Library& library, const std::string& crl_file) {
  auto text = read_file(crl_file);
  if (!text) return unexpected(text.error());
  Owned<BIO, BIO_free_all> in(BIO_new_mem_buf(text->text().data(), static_cast<int>(text->text().size())));
  std::size_t count = 0;
  for (;; ++count) {
    X509_CRL* crl = X509_CRL_new_ex(library.handle(), nullptr);
    bool read = PEM_read_bio_X509_CRL(in.get(), &crl, nullptr, nullptr);
    if (read) X509_STORE_add_crl(&store, crl);
    X509_CRL_free(crl);
    if (!read) break;
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  std::string reason = why();
  if (!at_end)
    return unexpected(fmt::format("{} holds a broken list of revoked certificates: {}", crl_file, reason));
  if (count == 0) return unexpected(fmt::format("{} holds no list of revoked certificates in PEM", crl_file));
  X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(&store),
                              X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

}  // namespace lockgate::tls
