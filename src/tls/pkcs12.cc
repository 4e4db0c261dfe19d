#include "tls/pkcs12.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <optional>

#include "base/cursor.h"
#include "tls/encryption.h"

namespace lockgate::tls {
namespace {

using Outcome = std::expected<void, std::string>;
using OwnedFile = Owned<PKCS12, PKCS12_free>;
using OwnedPlain = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;  // wipes itself

void free_safes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }
void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
using OwnedSafes = Owned<STACK_OF(PKCS7), free_safes>;
using OwnedBags = Owned<STACK_OF(PKCS12_SAFEBAG), free_bags>;

constexpr int kDeepestBag = 4;

std::unexpected<std::string> damaged() {
  return std::unexpected(std::string("is damaged or cut off: copy it once more"));
}

// A password as OpenSSL takes it. None and an empty one are not the same in this format: there are programs
// that write the one, and such that write the other (PKCS#12, B.1).
struct Password {
  const char* text = nullptr;
  int size = 0;
  std::string_view view() const { return {text ? text : "", static_cast<std::size_t>(size)}; }
};

// Goes through all bags of a file and takes certificates and the key out of them.
class Unpacking {
 public:
  Unpacking(PKCS12* file, Password password, Rounds& rounds)
      : file_(file), password_(password), rounds_(rounds) {}

  /// Ends a sentence that began with the file's name.
  std::expected<Pkcs12, std::string> run() {
    OwnedSafes safes(PKCS12_unpack_authsafes(file_));
    if (!safes) return damaged();
    for (int i = 0; i < sk_PKCS7_num(safes.get()); ++i) {
      if (auto done = take_safe(sk_PKCS7_value(safes.get(), i)); !done) return std::unexpected(done.error());
    }
    return std::move(found_);
  }

 private:
  Outcome take_safe(PKCS7* safe) {
    if (PKCS7_type_is_data(safe)) {
      OwnedBags bags(PKCS12_unpack_p7data(safe));
      return bags ? take_bags(bags.get(), 0) : damaged();
    }
    // The third kind, encrypted to a certificate, is one that nobody writes.
    if (!PKCS7_type_is_encrypted(safe)) return {};
    const PKCS7_ENCRYPT* encrypted = safe->d.encrypted;
    if (!encrypted || !encrypted->enc_data || !encrypted->enc_data->enc_data) return damaged();
    const X509_ALGOR* algorithm = encrypted->enc_data->algorithm;
    if (auto known = rounds_.spend(algorithm); !known) return known;
    OwnedBags bags(static_cast<STACK_OF(PKCS12_SAFEBAG)*>(
        PKCS12_item_decrypt_d2i_ex(algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS), password_.text, password_.size,
                                   encrypted->enc_data->enc_data, 1, decrypting_library(), nullptr)));
    if (!bags) return std::unexpected(not_decrypted(algorithm, password_.view()));
    return take_bags(bags.get(), 0);
  }

  Outcome take_bags(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth) {
    if (depth > kDeepestBag) return damaged();
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
      if (auto done = take_bag(sk_PKCS12_SAFEBAG_value(bags, i), depth); !done) return done;
    }
    return {};
  }

  Outcome take_bag(const PKCS12_SAFEBAG* bag, int depth) {
    switch (PKCS12_SAFEBAG_get_nid(bag)) {
      case NID_keyBag:
        return take_key(PKCS12_SAFEBAG_get0_p8inf(bag));
      case NID_pkcs8ShroudedKeyBag:
        return take_shrouded_key(PKCS12_SAFEBAG_get0_pkcs8(bag));
      case NID_certBag:
        if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return {};
        found_.certificates.emplace_back(PKCS12_SAFEBAG_get1_cert(bag));
        return found_.certificates.back() ? Outcome() : damaged();
      case NID_safeContentsBag:
        return take_bags(PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
      default:
        return {};
    }
  }

  Outcome take_shrouded_key(const X509_SIG* shrouded) {
    if (!shrouded) return damaged();
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(shrouded, &algorithm, nullptr);
    if (auto known = rounds_.spend(algorithm); !known) return known;
    OwnedPlain plain(
        PKCS8_decrypt_ex(shrouded, password_.text, password_.size, decrypting_library(), nullptr));
    if (!plain) return std::unexpected(not_decrypted(algorithm, password_.view()));
    return take_key(plain.get());
  }

  Outcome take_key(const PKCS8_PRIV_KEY_INFO* plain) {
    if (found_.key)
      return std::unexpected("holds more than one private key: put each into a file of its own");
    found_.key.reset(plain ? EVP_PKCS82PKEY(plain) : nullptr);
    return found_.key ? Outcome() : damaged();
  }

  PKCS12* file_;
  Password password_;
  Rounds& rounds_;
  Pkcs12 found_;
};

// How often the code that proves the password is to be computed over; none if that is no number to count to.
std::optional<std::int64_t> rounds_of_code(const PKCS12* file) {
  const ASN1_INTEGER* rounds = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &rounds, file);
  if (!rounds) return 1;
  std::int64_t count = 0;
  if (ASN1_INTEGER_get_int64(&count, rounds) != 1 || count < 1) return {};
  return count;
}

std::expected<Pkcs12, std::string> unpacked(PKCS12* file, Password password, Rounds& rounds) {
  if (PKCS12_mac_present(file)) {
    auto count = rounds_of_code(file);
    if (!count || !rounds.spend(*count)) return std::unexpected(too_many_rounds());
    if (PKCS12_verify_mac(file, password.text, password.size) != 1)
      return std::unexpected(not_decrypted(password.view()));
  }
  return Unpacking(file, password, rounds).run();
}

OwnedFile decoded(Bytes bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  return OwnedFile(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
}

}  // namespace

bool is_pkcs12(Bytes bytes) {
  Cursor cursor(bytes);
  if (cursor.u8() != 0x30) return false;
  std::uint8_t size = cursor.u8();
  if (size > 0x80) cursor.take(size & 0x7fU);                                      // the length's own length
  return cursor.u8() == 2 && cursor.u8() == 1 && cursor.u8() == 3 && cursor.ok();  // version 3
}

std::expected<Pkcs12, std::string> open_pkcs12(std::string_view name, Bytes bytes,
                                               std::string_view password) {
  auto about_file = [&](const std::string& rest) { return fmt::format("{} {}", name, rest); };
  if (bytes.empty()) return std::unexpected(about_file("is empty"));
  if (as_text(bytes).contains("-----BEGIN ")) {
    return std::unexpected(about_file("is in PEM, not PKCS#12: give it as certificate and key"));
  }
  if (!is_pkcs12(bytes)) {
    return std::unexpected(
        about_file("is not PKCS#12, nor PEM: export certificate and key once more, as PKCS#12"));
  }
  OwnedFile file = decoded(bytes);
  Rounds rounds;
  std::expected<Pkcs12, std::string> found = damaged();
  if (file && password.empty()) {
    found = unpacked(file.get(), {nullptr, 0}, rounds);
    if (!found) found = unpacked(file.get(), {"", 0}, rounds);
  } else if (file) {
    found = unpacked(file.get(), {password.data(), static_cast<int>(password.size())}, rounds);
  }
  ERR_clear_error();
  if (!found) return std::unexpected(about_file(found.error()));
  return found;
}

}  // namespace lockgate::tls
