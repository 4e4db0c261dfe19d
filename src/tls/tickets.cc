#include "tls/tickets.h"

#include <fmt/core.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"
#include "tls/files.h"

namespace lockgate::tls {
namespace {

using Shared = std::shared_ptr<const TicketKeys>;

void free_shared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Shared*>(shared);
}

int slot() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_shared);
  return index;
}

bool set_mac_key(EVP_MAC_CTX* mac, const TicketKey& key) {
  auto* secret = const_cast<unsigned char*>(key.authentication.data());
  char digest[] = "SHA256";
  std::array params = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, key.authentication.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

const EVP_CIPHER* ticket_cipher() { return EVP_aes_256_cbc(); }

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): -1 fails the handshake, 0 goes on without the ticket, 1 takes it,
// 2 takes it and gives a new one.
int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int sealing) {
  const auto& keys = **static_cast<Shared*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot()));
  if (sealing == 1) {
    const TicketKey& key = keys.sealing();
    std::memcpy(name, key.name.data(), key.name.size());
    bool sealed = RAND_bytes(iv, EVP_CIPHER_get_iv_length(ticket_cipher())) == 1 &&
                  EVP_EncryptInit_ex(cipher, ticket_cipher(), nullptr, key.encryption.data(), iv) == 1 &&
                  set_mac_key(mac, key);
    return sealed ? 1 : -1;
  }
  const TicketKey* key = keys.named(name);
  if (!key) return 0;
  bool opened = set_mac_key(mac, *key) &&
                EVP_DecryptInit_ex(cipher, ticket_cipher(), nullptr, key->encryption.data(), iv) == 1;
  if (!opened) return -1;
  // A TLS 1.3 ticket is for one use (RFC 8446, C.4), so there is always a new one.
  return key == &keys.sealing() && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}

template <std::size_t Size>
void take(std::string_view& from, std::array<unsigned char, Size>& to) {
  std::copy_n(from.begin(), Size, to.begin());
  from.remove_prefix(Size);
}

}  // namespace

TicketKey::~TicketKey() {
  OPENSSL_cleanse(authentication.data(), authentication.size());
  OPENSSL_cleanse(encryption.data(), encryption.size());
}

std::shared_ptr<const TicketKeys> TicketKeys::fresh(const TicketKeys* before) {
  auto keys = std::make_shared<TicketKeys>();
  TicketKey& key = keys->keys_.emplace_back();
  random_bytes(std::as_writable_bytes(std::span(key.name)));
  random_bytes(std::as_writable_bytes(std::span(key.authentication)));
  random_bytes(std::as_writable_bytes(std::span(key.encryption)));
  if (before) keys->keys_.push_back(before->sealing());
  return keys;
}

Outcome<std::shared_ptr<const TicketKeys>> TicketKeys::read(const std::string& path) {
  auto content = read_file(path);
  if (!content) return std::unexpected(content.error());
  std::string_view left = content->text();
  if (left.empty() || left.size() % kTicketKeySize != 0) {
    return std::unexpected(
        fmt::format("the ticket keys in {} must be {} bytes each, and the file has {} (make one with "
                    "`openssl rand {} > {}`)",
                    path, kTicketKeySize, left.size(), kTicketKeySize, path));
  }
  auto keys = std::make_shared<TicketKeys>();
  while (!left.empty()) {
    TicketKey& key = keys->keys_.emplace_back();
    take(left, key.name);
    take(left, key.authentication);
    take(left, key.encryption);
  }
  return keys;
}

const TicketKey* TicketKeys::named(const unsigned char* name) const {
  auto found = std::ranges::find_if(
      keys_, [&](const TicketKey& key) { return std::equal(key.name.begin(), key.name.end(), name); });
  return found == keys_.end() ? nullptr : &*found;
}

std::string TicketKeys::fingerprint() const {
  std::string all;
  for (const TicketKey& key : keys_) {
    std::string secret(reinterpret_cast<const char*>(key.encryption.data()), key.encryption.size());
    all += hex(sha256(as_bytes(secret)));
    OPENSSL_cleanse(secret.data(), secret.size());
  }
  return hex(sha256(as_bytes(all)));
}

void use_tickets(ssl_ctx_st& context, std::shared_ptr<const TicketKeys> keys) {
  CHECK(SSL_CTX_set_ex_data(&context, slot(), new Shared(std::move(keys))) == 1);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(&context, ticket_key);
}

}  // namespace lockgate::tls
