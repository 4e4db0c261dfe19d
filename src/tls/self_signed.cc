#include "tls/self_signed.h"

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/address.h"
#include "base/check.h"
#include "base/name_pattern.h"
#include "tls/files.h"
#include "tls/weaknesses.h"

namespace lockgate::tls {
namespace {

using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedNumber = Owned<BIGNUM, BN_free>;
using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;
using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using Names = std::vector<std::string>;

void free_extensions(STACK_OF(X509_EXTENSION) * list) {
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}
using OwnedExtensions = Owned<STACK_OF(X509_EXTENSION), free_extensions>;

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;
constexpr std::int64_t kRenewDays = 30;
constexpr std::size_t kLongestCommonName = 64;  // RFC 5280, A.1

// Names as certificates have them, each once: host names normalized, addresses in one form.
std::expected<Names, std::string> canonical(const Names& names) {
  if (names.empty()) return std::unexpected("a certificate needs a name: give at least one");
  Names result;
  for (const auto& name : names) {
    std::string_view text = name;
    bool wildcard = text.starts_with("*.");
    if (wildcard) text.remove_prefix(2);
    auto ip = text.contains('%') ? std::nullopt : Ip::parse(text);
    auto host = normalized_name(text);
    if (!ip && !host) {
      return std::unexpected(fmt::format(
          "\"{}\" is neither a host name nor an IP address; names that are not ASCII are given in "
          "their form that begins with xn--",
          name));
    }
    if (ip && wildcard) return std::unexpected(fmt::format("\"{}\": addresses have no wildcards", name));
    std::string one = ip ? ip->text() : (wildcard ? "*." : "") + *host;
    if (std::ranges::find(result, one) == result.end()) result.push_back(std::move(one));
  }
  return result;
}

// Extensions, by the words that openssl.cnf(5) has for them; names are safe in such words once canonical.
class Extensions {
 public:
  void add(int kind, const std::string& words, X509* subject = nullptr) {
    X509V3_CTX place{};
    X509V3_set_ctx(&place, subject, subject, nullptr, nullptr, 0);
    OwnedExtension extension(X509V3_EXT_nconf_nid(nullptr, &place, kind, words.c_str()));
    CHECK(extension);
    STACK_OF(X509_EXTENSION)* list = list_.release();
    CHECK(X509v3_add_ext(&list, extension.get(), -1));
    list_.reset(list);
  }
  void add_all(const Names& names, KeyKind kind) {
    std::string words;
    for (const auto& name : names)
      words += fmt::format("{}{}:{}", words.empty() ? "" : ",", is_ip_literal(name) ? "IP" : "DNS", name);
    add(NID_subject_alt_name, words);
    add(NID_basic_constraints, "critical,CA:FALSE");
    add(NID_key_usage,
        kind == KeyKind::rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature");
    add(NID_ext_key_usage, "serverAuth,clientAuth");
  }
  STACK_OF(X509_EXTENSION) * list() const { return list_.get(); }

 private:
  OwnedExtensions list_;
};

void set_subject(X509_NAME* subject, const Names& names) {
  std::string_view name = names.front();
  if (name.size() > kLongestCommonName) name = "lockgate";
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1);
}

void set_serial(X509* certificate) {
  OwnedNumber number(BN_new());
  CHECK(number && BN_rand(number.get(), 128, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)));
}

void set_dates(X509* certificate, WallTime now, int days) {
  std::int64_t seconds = now / kSecond;
  CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate), seconds - kDay));
  CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate), seconds + days * kDay));
}

std::string text_of(BIO* bio) {
  char* text = nullptr;
  long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string file_of(std::string_view id, KeyKind kind) {
  std::string name;
  for (char c : id) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                 c == '-' || (c == '.' && !name.empty());
    name += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return name + (kind == KeyKind::rsa ? ".rsa.pem" : ".ecdsa.pem");
}

bool is_still_good(const Identity& identity, KeyKind kind, Names names, WallTime now) {
  Names has = identity.names;
  std::ranges::sort(has);
  std::ranges::sort(names);
  return identity.kind == kind && has == names && !is_due(identity, now) && identity.not_before <= now;
}

FoundIdentity kept_or_made(const std::string& path, KeyKind kind, const Names& names, WallTime now) {
  // One that cannot be read is as good as none: writing the new one tells what is wrong with the place.
  auto kept = read_pem({path, ""}, "");
  if (kept && is_still_good(**kept, kind, names, now)) return kept;
  auto made = self_signed(names, kind, now);
  if (!made) return std::unexpected(made.error());
  Secret both = in_one(*made);
  auto written = replace_file(path, both.text(), Readers::owner);
  if (!written) return std::unexpected(written.error());
  return parse_pem(both.text(), "", "", {path, ""});
}

}  // namespace

Secret in_one(const Made& made) {
  Secret both(made.key.text().size() + made.document.size());
  auto after_key = std::ranges::copy(as_bytes(made.key.text()), both.room().begin()).out;
  std::ranges::copy(as_bytes(made.document), after_key);
  return both;
}

std::expected<Made, std::string> self_signed(const Names& names, KeyKind kind, WallTime now, int days) {
  auto wanted = canonical(names);
  if (!wanted) return std::unexpected(wanted.error());
  OwnedKey key = make_key(kind);
  OwnedCertificate certificate(X509_new());
  X509* x509 = certificate.get();
  CHECK(x509 && X509_set_version(x509, X509_VERSION_3) == 1 && X509_set_pubkey(x509, key.get()) == 1);
  set_serial(x509);
  set_dates(x509, now, days);
  set_subject(X509_get_subject_name(x509), *wanted);
  CHECK(X509_set_issuer_name(x509, X509_get_subject_name(x509)) == 1);
  Extensions extensions;
  extensions.add_all(*wanted, kind);
  extensions.add(NID_subject_key_identifier, "hash", x509);
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions.list()); ++i)
    CHECK(X509_add_ext(x509, sk_X509_EXTENSION_value(extensions.list(), i), -1) == 1);
  CHECK(X509_sign(x509, key.get(), EVP_sha256()) > 0);
  OwnedBio bio(BIO_new(BIO_s_mem()));
  CHECK(bio && PEM_write_bio_X509(bio.get(), x509) == 1);
  return Made{key_as_pem(key.get()), text_of(bio.get())};
}

bool is_due(const Identity& identity, WallTime now) { return days_left(identity, now) < kRenewDays; }

std::expected<Made, std::string> certificate_request(const Names& names, KeyKind kind) {
  auto wanted = canonical(names);
  if (!wanted) return std::unexpected(wanted.error());
  OwnedKey key = make_key(kind);
  OwnedRequest request(X509_REQ_new());
  CHECK(request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1);
  CHECK(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  set_subject(X509_REQ_get_subject_name(request.get()), *wanted);
  Extensions extensions;
  extensions.add_all(*wanted, kind);
  CHECK(X509_REQ_add_extensions(request.get(), extensions.list()) == 1);
  CHECK(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0);
  OwnedBio bio(BIO_new(BIO_s_mem()));
  CHECK(bio && PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1);
  return Made{key_as_pem(key.get()), text_of(bio.get())};
}

std::expected<std::vector<SharedIdentity>, std::string> kept_self_signed(const std::string& folder,
                                                                         std::string_view id,
                                                                         const Names& names, WallTime now) {
  auto wanted = canonical(names);
  if (!wanted) return std::unexpected(wanted.error());
  std::string place = folder + "/self-signed";
  for (const auto& needed : {folder, place}) {
    auto made = make_folder(needed);
    if (!made) return std::unexpected(made.error());
  }
  std::vector<SharedIdentity> identities;
  for (KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa}) {
    auto identity = kept_or_made(place + "/" + file_of(id, kind), kind, *wanted, now);
    if (!identity) return std::unexpected(identity.error());
    identities.push_back(*identity);
  }
  return identities;
}

}  // namespace lockgate::tls
