#include "tls/certificate.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <unordered_set>

#include "base/address.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/name_pattern.h"

namespace lockgate::tls {
namespace {

using OwnedNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;

std::string_view text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string all_of(BIO* bio) {
  char* text = nullptr;
  long size = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string distinguished_name(const X509_NAME* name) {
  Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  CHECK(bio);
  // Everything that is not printable ASCII is escaped, so it can be shown on any terminal and put into JSON.
  if (X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "(unreadable)";
  return all_of(bio.get());
}

// Collects names, each of them once, in their order.
class Names {
 public:
  void add_dns(std::string_view text) {
    bool wildcard = text.starts_with("*.");
    if (wildcard) text.remove_prefix(2);
    auto name = normalized_name(text);
    if (name && !is_ip_literal(*name)) add(wildcard ? "*." + *name : *name);
  }
  void add_ip(Bytes bytes) {
    if (bytes.size() == 4 || bytes.size() == 16) add(Ip::from_bytes(bytes).text());
  }
  void add_mailbox(std::string_view text) {
    if (is_plain(text) && text.contains('@') && text.find_first_of(":/") == text.npos) add(std::string(text));
  }
  void add_uri(std::string_view text) {
    auto colon = text.find(':');
    if (is_plain(text) && colon != text.npos && colon > 0 && !Ip::parse(text)) add(std::string(text));
  }
  std::vector<std::string> take() { return std::move(names_); }

 private:
  // Fit for a list with commas.
  static bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != ','; });
  }
  void add(const std::string& name) {
    if (seen_.insert(name).second) names_.push_back(name);
  }
  std::vector<std::string> names_;
  std::unordered_set<std::string> seen_;
};

OwnedNames general_names_of(X509* certificate) {
  return OwnedNames(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

void add_common_names(const X509_NAME* subject, Names& names) {
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
    names.add_dns(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

std::string formatted(const char* format, std::int64_t seconds) {
  std::tm parts{};
  std::time_t time = seconds;
  std::array<char, 40> text{};
  CHECK(::gmtime_r(&time, &parts));
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

}  // namespace

void free_certificate(x509_st* certificate) { X509_free(certificate); }

std::vector<std::string> names_of(x509_st* certificate) {
  Names names;
  if (has_no_alternative_names(certificate)) {
    add_common_names(X509_get_subject_name(certificate), names);
    return names.take();
  }
  OwnedNames list = general_names_of(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) names.add_dns(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) names.add_ip(as_bytes(text_of(name->d.iPAddress)));
  }
  return names.take();
}

std::vector<std::string> alternative_names_of(x509_st* certificate) {
  Names names;
  OwnedNames list = general_names_of(certificate);
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) names.add_dns(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) names.add_ip(as_bytes(text_of(name->d.iPAddress)));
    if (name->type == GEN_EMAIL) names.add_mailbox(text_of(name->d.rfc822Name));
    if (name->type == GEN_URI) names.add_uri(text_of(name->d.uniformResourceIdentifier));
  }
  return names.take();
}

bool has_no_alternative_names(x509_st* certificate) {
  return X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0;
}

std::string subject_of(x509_st* certificate) {
  return distinguished_name(X509_get_subject_name(certificate));
}

std::string issuer_of(x509_st* certificate) { return distinguished_name(X509_get_issuer_name(certificate)); }

std::string serial_of(x509_st* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  bool negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
  return (negative ? "-" : "") + hex(as_bytes(text_of(serial)));
}

std::string fingerprint_of(x509_st* certificate) {
  std::array<std::byte, 32> digest{};
  unsigned size = 0;
  CHECK(X509_digest(certificate, EVP_sha256(), reinterpret_cast<unsigned char*>(digest.data()), &size) == 1);
  return hex(digest);
}

std::string pin_of(x509_st* certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  CHECK(size > 0);
  auto digest = sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  std::array<unsigned char, 48> text{};
  EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(digest.data()), digest.size());
  return "sha256/" + std::string(reinterpret_cast<const char*>(text.data()));
}

std::string base64_of(x509_st* certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509(certificate, &der);
  CHECK(size > 0);
  std::string text = base64(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return text;
}

std::string pem_of(x509_st* certificate) {
  Owned<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  CHECK(bio && PEM_write_bio_X509(bio.get(), certificate) == 1);
  return all_of(bio.get());
}

std::optional<Validity> validity_of(x509_st* certificate) {
  auto from = seconds_of(X509_get0_notBefore(certificate));
  auto until = seconds_of(X509_get0_notAfter(certificate));
  if (!from || !until) return {};
  return Validity{*from, *until};
}

std::optional<std::int64_t> seconds_of(const asn1_string_st* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return ::timegm(&parts);
}

std::string date(std::int64_t seconds) { return formatted("%Y-%m-%d", seconds); }
std::string date_and_time(std::int64_t seconds) { return formatted("%Y-%m-%dT%H:%M:%SZ", seconds); }

std::string signature_algorithm_of(x509_st* certificate) {
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, X509_get0_tbs_sigalg(certificate));
  std::array<char, 80> text{};
  OBJ_obj2txt(text.data(), text.size(), algorithm, 0);
  return text.data();
}

std::string weak_digest_of(x509_st* certificate) {
  int digest = NID_undef;
  if (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1) return "";
  switch (digest) {
    case NID_sha1:
      return "SHA-1";
    case NID_md5:
      return "MD5";
    case NID_md4:
      return "MD4";
    case NID_md2:
      return "MD2";
    default:
      return "";
  }
}

bool is_self_signed(x509_st* certificate) { return X509_self_signed(certificate, 1) == 1; }

bool is_issued_by(x509_st* certificate, x509_st* issuer) {
  if (X509_check_issued(issuer, certificate) != X509_V_OK) return false;
  EVP_PKEY* key = X509_get0_pubkey(issuer);
  return key && X509_verify(certificate, key) == 1;
}

}  // namespace lockgate::tls
