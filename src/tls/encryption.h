// What protects keys in files: encryption by password (PKCS#5, PKCS#12).
//
// A file says itself how many rounds turn the password into a key, so any file could
// keep us busy for years: rounds are counted before anything is decrypted, and too many
// are refused. The ciphers of old, as RC2 with 40 bits, are in a library context of this
// room's own, so that nothing else in the process can ever use them. Any thread.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

struct X509_algor_st;
struct ossl_lib_ctx_st;

namespace lockgate::tls {

/// Loads the ciphers of old once and for all. Called where files may be read later from inside the sandbox,
/// which lets no libraries be loaded; without it they are loaded when a file is first read.
void load_old_ciphers();
/// For decrypting what comes from files, and for nothing else. Never null.
ossl_lib_ctx_st* decrypting_library();

/// The rounds that may still be spent on a file, all its encryptions together: a few seconds' worth.
class Rounds {
 public:
  static constexpr std::int64_t kMost = 10'000'000;
  /// Takes `count` of them; false if so many are not left.
  bool spend(std::int64_t count);
  /// Takes the rounds that `algorithm` needs, if it is one that is known; or ends a sentence that began with
  /// a file's name.
  std::expected<void, std::string> spend(const X509_algor_st* algorithm);

 private:
  std::int64_t left_ = kMost;
};

/// Ends a sentence that began with a file's name: it asks for more rounds than are left.
std::string too_many_rounds();
/// The same for what could not be decrypted: for want of a password, or of old ciphers, or because the
/// password is wrong.
std::string not_decrypted(const X509_algor_st* algorithm, std::string_view password);
std::string not_decrypted(std::string_view password);

}  // namespace lockgate::tls
