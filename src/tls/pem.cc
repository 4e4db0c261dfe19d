#include "tls/pem.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "tls/encryption.h"

namespace lockgate::tls {
namespace {

using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedCipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using OwnedEncrypted = Owned<X509_SIG, X509_SIG_free>;
using OwnedPlain = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;  // wipes itself
using FoundKey = std::expected<OwnedKey, std::string>;

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// One block, decoded from base64. Its memory is wiped when it goes, for it may be a key.
class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Block() {
    OPENSSL_secure_free(label_);
    OPENSSL_secure_free(header_);
    OPENSSL_secure_clear_free(bytes_, static_cast<std::size_t>(size_));
  }

  bool read(BIO* bio) {
    return PEM_read_bio_ex(bio, &label_, &header_, &bytes_, &size_, PEM_FLAG_SECURE) == 1;
  }
  std::string_view label() const { return label_; }
  const unsigned char* bytes() const { return bytes_; }
  long size() const { return size_; }

  // Decrypts in place what is encrypted by its header, as keys were before PKCS#8 (RFC 1421). Ends a sentence
  // about the key if that fails.
  std::expected<void, std::string> decrypt(std::string_view password) {
    EVP_CIPHER_INFO cipher{};
    if (PEM_get_EVP_CIPHER_INFO(header_, &cipher) != 1)
      return std::unexpected("is encrypted in a way that OpenSSL does not know: encrypt it anew, by AES");
    const char* cipher_name = EVP_CIPHER_get0_name(cipher.cipher);
    // This way of decrypting always asks the library that everybody uses, which has no ciphers of old.
    if (cipher_name && !OwnedCipher(EVP_CIPHER_fetch(nullptr, cipher_name, nullptr))) {
      return std::unexpected(
          fmt::format("is encrypted by {}, which is too old: encrypt it anew, by AES", cipher_name));
    }
    if (PEM_do_header(&cipher, bytes_, &size_, give_password, &password) == 1) return {};
    return std::unexpected(not_decrypted(password));
  }
  bool is_encrypted() const { return *header_ != '\0'; }

 private:
  static int give_password(char* room, int size, int, void* password) {
    std::string_view text = *static_cast<std::string_view*>(password);
    if (std::cmp_greater(text.size(), size)) return -1;
    if (!text.empty()) std::memcpy(room, text.data(), text.size());
    return static_cast<int>(text.size());
  }
  void swap(Block& other) noexcept {
    std::swap(label_, other.label_);
    std::swap(header_, other.header_);
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
  }

  char *label_ = nullptr, *header_ = nullptr;
  unsigned char* bytes_ = nullptr;
  long size_ = 0;
};

// How many blocks begin in a text, complete or not.
std::size_t beginnings(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos; at += kBegin.size()) {
    if (at == 0 || text[at - 1] == '\n') ++count;
  }
  return count;
}

std::expected<std::vector<Block>, std::string> blocks_of(std::string_view name, std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  OwnedBio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  CHECK(bio);
  std::vector<Block> blocks;
  for (Block block; block.read(bio.get()); block = Block()) blocks.push_back(std::move(block));
  ERR_clear_error();
  if (blocks.size() >= beginnings(text)) return blocks;
  return std::unexpected(fmt::format("{} is damaged or cut off in its {}. PEM block: copy it once more", name,
                                     blocks.size() + 1));
}

bool is_certificate(std::string_view label) {
  return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD || label == PEM_STRING_X509_TRUSTED;
}

bool is_key(std::string_view label) { return label.ends_with("PRIVATE KEY"); }

// DER or PKCS#12 instead of PEM: whatever begins as an ASN.1 sequence.
bool is_binary(std::string_view text) {
  return text.size() > 1 && text[0] == '\x30' && (static_cast<unsigned char>(text[1]) & 0x80U) != 0;
}

// Says what a text is that has no block of the kind that was looked for.
std::string without(std::string_view name, std::string_view wanted, std::string_view text,
                    const std::vector<Block>& blocks) {
  if (text.empty()) return fmt::format("{} is empty", name);
  if (blocks.empty() && is_binary(text)) {
    return fmt::format(
        "{} is in binary form (DER or PKCS#12), not in PEM: give it as PKCS#12 if it is that, or convert it "
        "with `openssl x509 -inform DER` or `openssl pkey -inform DER`",
        name);
  }
  std::string found;
  for (const auto& block : blocks) {
    if (found.size() < 100) found += fmt::format("{}\"{}\"", found.empty() ? "" : ", ", block.label());
  }
  if (found.empty()) return fmt::format("{} holds no {} in PEM, nor anything else in it", name, wanted);
  return fmt::format("{} holds no {} in PEM, only {}", name, wanted, found);
}

FoundKey damaged_key(std::string_view name) {
  return std::unexpected(fmt::format(
      "the private key in {} is damaged or of a kind that OpenSSL does not know: copy it once more", name));
}

FoundKey plain_key(std::string_view name, const Block& block) {
  const unsigned char* at = block.bytes();
  OwnedPlain plain(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, block.size()));
  OwnedKey key(plain ? EVP_PKCS82PKEY(plain.get()) : nullptr);
  if (!key) return damaged_key(name);
  return key;
}

FoundKey encrypted_key(std::string_view name, const Block& block, std::string_view password) {
  const unsigned char* at = block.bytes();
  OwnedEncrypted encrypted(d2i_X509_SIG(nullptr, &at, block.size()));
  if (!encrypted) return damaged_key(name);
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, nullptr);
  Rounds rounds;
  if (auto known = rounds.spend(algorithm); !known)
    return std::unexpected(fmt::format("the private key in {} {}", name, known.error()));
  OwnedPlain plain(PKCS8_decrypt_ex(encrypted.get(), password.empty() ? "" : password.data(),
                                    static_cast<int>(password.size()), decrypting_library(), nullptr));
  if (!plain) {
    return std::unexpected(fmt::format("the private key in {} {}", name, not_decrypted(algorithm, password)));
  }
  OwnedKey key(EVP_PKCS82PKEY(plain.get()));
  if (!key) return damaged_key(name);
  return key;
}

// A form of its own for each kind of key, from before PKCS#8.
FoundKey traditional_key(std::string_view name, Block& block, int type, std::string_view password) {
  bool was_encrypted = block.is_encrypted();
  if (was_encrypted) {
    auto decrypted = block.decrypt(password);
    if (!decrypted) return std::unexpected(fmt::format("the private key in {} {}", name, decrypted.error()));
  }
  const unsigned char* at = block.bytes();
  OwnedKey key(d2i_PrivateKey(type, nullptr, &at, block.size()));
  if (key) return key;
  // A wrong password is not always noticed by the padding.
  if (was_encrypted)
    return std::unexpected(fmt::format("the private key in {} {}", name, not_decrypted(password)));
  return damaged_key(name);
}

FoundKey key_in(std::string_view name, Block& block, std::string_view password) {
  std::string_view label = block.label();
  if (label == PEM_STRING_PKCS8INF) return plain_key(name, block);
  if (label == PEM_STRING_PKCS8) return encrypted_key(name, block, password);
  if (label == PEM_STRING_RSA) return traditional_key(name, block, EVP_PKEY_RSA, password);
  if (label == PEM_STRING_ECPRIVATEKEY) return traditional_key(name, block, EVP_PKEY_EC, password);
  if (label == PEM_STRING_DSA) return traditional_key(name, block, EVP_PKEY_DSA, password);
  return std::unexpected(
      fmt::format("the private key in {} is in the form \"{}\", which is not for TLS: convert it to PKCS#8",
                  name, label));
}

}  // namespace

std::expected<std::vector<OwnedCertificate>, std::string> pem_certificates(std::string_view name,
                                                                           std::string_view text) {
  auto blocks = blocks_of(name, text);
  if (!blocks) return std::unexpected(blocks.error());
  std::vector<OwnedCertificate> certificates;
  for (const auto& block : *blocks) {
    if (!is_certificate(block.label())) continue;
    const unsigned char* at = block.bytes();
    // What follows in a trusted certificate says for what it is trusted, which does not concern us.
    OwnedCertificate certificate(d2i_X509(nullptr, &at, block.size()));
    ERR_clear_error();
    if (!certificate) {
      return std::unexpected(fmt::format("{}: the {}. certificate is damaged: copy it once more", name,
                                         certificates.size() + 1));
    }
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return std::unexpected(without(name, "certificate", text, *blocks));
  return certificates;
}

FoundKey pem_key(std::string_view name, std::string_view text, std::string_view password) {
  auto blocks = blocks_of(name, text);
  if (!blocks) return std::unexpected(blocks.error());
  Block* found = nullptr;
  for (auto& block : *blocks) {
    if (!is_key(block.label())) continue;
    if (found) {
      return std::unexpected(
          fmt::format("{} holds more than one private key: put each into a file of its own, with its "
                      "certificate",
                      name));
    }
    found = &block;
  }
  if (!found) return std::unexpected(without(name, "private key", text, *blocks));
  auto key = key_in(name, *found, password);
  ERR_clear_error();
  return key;
}

bool has_pem_key(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(kBegin, at)) != std::string_view::npos; at += kBegin.size()) {
    std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.contains("PRIVATE KEY-----")) return true;
  }
  return false;
}

}  // namespace lockgate::tls
