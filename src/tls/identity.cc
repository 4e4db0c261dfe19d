#include "tls/identity.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tls/files.h"
#include "tls/pem.h"
#include "tls/pkcs12.h"

namespace lockgate::tls {
namespace {

constexpr std::size_t kLongestChain = 10;
constexpr std::int64_t kSecond = 1'000'000'000;

// Who a certificate is, for a sentence.
std::string called_by(x509_st* certificate) {
  std::string subject = subject_of(certificate);
  return subject.empty() ? "serial number " + serial_of(certificate) : subject;
}

bool is_key_of(evp_pkey_st* key, x509_st* certificate) {
  EVP_PKEY* other = X509_get0_pubkey(certificate);
  return other && EVP_PKEY_eq(key, other) == 1;
}

WallTime wall_time(std::int64_t seconds) {
  constexpr std::int64_t kMost = std::numeric_limits<WallTime>::max() / kSecond;
  return std::clamp(seconds, -kMost, kMost) * kSecond;
}

// Takes certificates out of a file's, and remembers where they stood.
class Chain {
 public:
  explicit Chain(std::vector<OwnedCertificate> certificates) : certificates_(std::move(certificates)) {}

  /// The key's certificate; of several, as after a renewal, the one that lasts longest.
  OwnedCertificate take_leaf(evp_pkey_st* key) {
    std::size_t best = certificates_.size();
    for (std::size_t i = 0; i < certificates_.size(); ++i) {
      if (!is_key_of(key, certificates_[i].get())) continue;
      if (best == certificates_.size() || end_of(i) > end_of(best)) best = i;
    }
    return best == certificates_.size() ? nullptr : take(best);
  }

  /// The issuer of `certificate`, null if it is not there.
  OwnedCertificate take_issuer(x509_st* certificate) {
    for (std::size_t i = 0; i < certificates_.size(); ++i) {
      if (certificates_[i] && is_issued_by(certificate, certificates_[i].get())) return take(i);
    }
    return nullptr;
  }

  bool was_out_of_order() const { return out_of_order_; }
  /// The subjects of what nobody took, but for second copies.
  std::vector<std::string> left_out(const Identity& identity) const {
    std::vector<std::string> subjects;
    for (const auto& certificate : certificates_) {
      if (certificate && !is_copy(certificate.get(), identity))
        subjects.push_back(called_by(certificate.get()));
    }
    return subjects;
  }

 private:
  std::int64_t end_of(std::size_t index) const {
    auto validity = validity_of(certificates_[index].get());
    return validity ? validity->until : std::numeric_limits<std::int64_t>::min();
  }
  OwnedCertificate take(std::size_t index) {
    out_of_order_ = out_of_order_ || index < next_;
    next_ = index;
    return std::move(certificates_[index]);
  }
  static bool is_copy(x509_st* certificate, const Identity& identity) {
    return X509_cmp(certificate, identity.certificate.get()) == 0 ||
           std::ranges::any_of(identity.chain,
                               [&](const auto& other) { return X509_cmp(certificate, other.get()) == 0; });
  }

  std::vector<OwnedCertificate> certificates_;
  std::size_t next_ = 0;
  bool out_of_order_ = false;
};

std::string no_match(const std::vector<std::string>& subjects, const PemFiles& called) {
  const std::string& key = called.key.empty() ? called.chain : called.key;
  if (subjects.size() == 1) {
    return fmt::format(
        "the private key in {} is not that of the certificate in {} ({}): give the key that the certificate "
        "was requested with",
        key, called.chain, subjects.front());
  }
  return fmt::format(
      "the private key in {} is that of none of the {} certificates in {} (the first is {}): give the key "
      "that the certificate was requested with",
      key, subjects.size(), called.chain, subjects.front());
}

// Fills in what the certificate says.
bool describe_itself(Identity& identity) {
  x509_st* certificate = identity.certificate.get();
  auto validity = validity_of(certificate);
  if (!validity) return false;
  identity.not_before = wall_time(validity->from);
  identity.not_after = wall_time(validity->until);
  identity.names = names_of(certificate);
  identity.subject = subject_of(certificate);
  identity.issuer = issuer_of(certificate);
  identity.serial = serial_of(certificate);
  identity.fingerprint = fingerprint_of(certificate);
  return true;
}

}  // namespace

FoundIdentity identity_of(std::vector<OwnedCertificate> certificates, OwnedKey key, const PemFiles& called) {
  const std::string& key_file = called.key.empty() ? called.chain : called.key;
  if (certificates.empty()) return std::unexpected(called.chain + " holds no certificate");
  if (!key) return std::unexpected(key_file + " holds no private key");
  auto kind = kind_of(key.get());
  if (!kind) return std::unexpected(fmt::format("the private key in {} {}", key_file, kind.error()));

  std::vector<std::string> subjects;
  for (const auto& certificate : certificates) subjects.push_back(called_by(certificate.get()));
  auto identity = std::make_shared<Identity>();
  Chain chain(std::move(certificates));
  identity->certificate = chain.take_leaf(key.get());
  if (!identity->certificate) return std::unexpected(no_match(subjects, called));
  identity->key = std::move(key);
  identity->kind = *kind;
  if (!describe_itself(*identity)) {
    return std::unexpected(
        fmt::format("the certificate in {} has dates that are none: have it made anew", called.chain));
  }
  for (x509_st* last = identity->certificate.get();
       identity->chain.size() < kLongestChain && !is_self_signed(last);) {
    auto issuer = chain.take_issuer(last);
    if (!issuer) break;
    last = issuer.get();
    identity->chain.push_back(std::move(issuer));
  }
  identity->was_out_of_order = chain.was_out_of_order();
  identity->left_out = chain.left_out(*identity);
  ERR_clear_error();
  return identity;
}

FoundIdentity parse_pem(std::string_view chain, std::string_view key, std::string_view password,
                        const PemFiles& called) {
  PemFiles names = called;
  if (!key.empty() && names.key.empty()) names.key = "the key";
  auto certificates = pem_certificates(names.chain, chain);
  if (!certificates) return std::unexpected(certificates.error());
  auto found = key.empty() ? pem_key(names.chain, chain, password) : pem_key(names.key, key, password);
  if (!found) return std::unexpected(found.error());
  return identity_of(std::move(*certificates), std::move(*found), names);
}

FoundIdentity parse_pkcs12(Bytes bytes, std::string_view password, std::string_view called) {
  auto found = open_pkcs12(called, bytes, password);
  if (!found) return std::unexpected(found.error());
  return identity_of(std::move(found->certificates), std::move(found->key), {std::string(called), ""});
}

FoundIdentity read_pem(const PemFiles& files, std::string_view password) {
  auto chain = read_file(files.chain);
  if (!chain) return std::unexpected(chain.error());
  if (files.key.empty() || files.key == files.chain)
    return parse_pem(chain->text(), "", password, {files.chain, ""});
  auto key = read_file(files.key);
  if (!key) return std::unexpected(key.error());
  if (key->text().empty()) return std::unexpected(files.key + " is empty");
  return parse_pem(chain->text(), key->text(), password, files);
}

FoundIdentity read_pkcs12(const std::string& path, std::string_view password) {
  auto file = read_file(path);
  if (!file) return std::unexpected(file.error());
  return parse_pkcs12(as_bytes(file->text()), password, path);
}

}  // namespace lockgate::tls
