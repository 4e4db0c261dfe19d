#include "tls/describe.h"

#include <fmt/core.h>
#include <openssl/x509.h>

#include <nlohmann/json.hpp>

#include "tls/files.h"
#include "tls/pem.h"
#include "tls/pkcs12.h"
#include "tls/weaknesses.h"

namespace lockgate::tls {
namespace {

using Json = nlohmann::ordered_json;
using Described = std::expected<Json, std::string>;

constexpr std::int64_t kSecond = 1'000'000'000, kDay = 86'400;

Json key_description(evp_pkey_st* key) {
  if (!key) return {{"kind", "unknown"}, {"bits", 0}};
  return {{"kind", name_of(key)}, {"bits", bits_of(key)}};
}

void describe_dates(x509_st* certificate, WallTime now, Json& json) {
  auto validity = validity_of(certificate);
  if (!validity) return;
  std::int64_t left = validity->until - now / kSecond;
  json["not_before"] = date_and_time(validity->from);
  json["not_after"] = date_and_time(validity->until);
  json["days_left"] = left / kDay - (left % kDay < 0 ? 1 : 0);
}

// Everything that is in a file without a key.
Json list(const std::vector<OwnedCertificate>& certificates, WallTime now) {
  Json json = {{"certificates", Json::array()}, {"key", nullptr}, {"warnings", Json::array()}};
  for (const auto& certificate : certificates)
    json["certificates"].push_back(description(certificate.get(), now));
  return json;
}

Described identity_or_list(std::vector<OwnedCertificate> certificates, OwnedKey key, const PemFiles& files,
                           WallTime now) {
  if (!key && !certificates.empty()) return list(certificates, now);
  auto identity = identity_of(std::move(certificates), std::move(key), files);
  if (!identity) return std::unexpected(identity.error());
  return description(**identity, now);
}

// The key of a file of its own, or of the file with the certificates if it has one.
std::expected<OwnedKey, std::string> key_for(const PemFiles& files, std::string_view chain,
                                             std::string_view password) {
  if (!files.key.empty()) {
    auto file = read_file(files.key);
    if (!file) return std::unexpected(file.error());
    return pem_key(files.key, file->text(), password);
  }
  if (!has_pem_key(chain)) return OwnedKey();
  return pem_key(files.chain, chain, password);
}

std::string joined(const Json& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + item.get<std::string>();
  return text.empty() ? "(none)" : text;
}

std::string certificate_in_words(const Json& json) {
  auto text = [&](const char* key) { return json.value(key, ""); };
  std::string words =
      fmt::format("subject      {}\nissuer       {}{}\nserial       {}\nnames        {}\n", text("subject"),
                  text("issuer"), json["self_signed"].get<bool>() ? " (self-signed)" : "", text("serial"),
                  joined(json["names"]));
  if (json.contains("days_left")) {
    words += fmt::format("valid        {} to {}, {} days left\n", text("not_before"), text("not_after"),
                         json["days_left"].get<std::int64_t>());
  }
  words += fmt::format("key          {}, {} bits\nsignature    {}\nfingerprint  {}\npin          {}\n",
                       json["key"]["kind"].get<std::string>(), json["key"]["bits"].get<int>(),
                       text("signature"), text("fingerprint"), text("pin"));
  return words;
}

}  // namespace

Json description(x509_st* certificate, WallTime now) {
  Json json = {{"subject", subject_of(certificate)},
               {"issuer", issuer_of(certificate)},
               {"self_signed", is_self_signed(certificate)},
               {"serial", serial_of(certificate)},
               {"names", names_of(certificate)}};
  describe_dates(certificate, now, json);
  json["key"] = key_description(X509_get0_pubkey(certificate));
  json["signature"] = signature_algorithm_of(certificate);
  json["fingerprint"] = fingerprint_of(certificate);
  json["pin"] = pin_of(certificate);
  return json;
}

Json description(const Identity& identity, WallTime now) {
  Json json = list(identity.chain, now);
  auto& certificates = json["certificates"];
  certificates.insert(certificates.begin(), description(identity.certificate.get(), now));
  json["key"] = key_description(identity.key.get());
  json["key"]["matches"] = true;
  json["warnings"] = weaknesses(identity, now);
  return json;
}

std::string in_words(const Json& description) {
  std::string words;
  for (const auto& certificate : description["certificates"])
    words += certificate_in_words(certificate) + "\n";
  const auto& key = description["key"];
  words += key.is_null() ? "No private key was looked at.\n"
                         : fmt::format("The private key, {}, is that of the first certificate.\n",
                                       key["kind"].get<std::string>());
  for (const auto& warning : description["warnings"])
    words += fmt::format("warning: {}\n", warning.get<std::string>());
  return words;
}

Described inspect(const PemFiles& files, std::string_view password, WallTime now) {
  auto file = read_file(files.chain);
  if (!file) return std::unexpected(file.error());
  if (is_pkcs12(as_bytes(file->text()))) {
    auto found = open_pkcs12(files.chain, as_bytes(file->text()), password);
    if (!found) return std::unexpected(found.error());
    if (!files.key.empty()) {
      auto key = key_for(files, "", password);
      if (!key) return std::unexpected(key.error());
      found->key = std::move(*key);
    }
    return identity_or_list(std::move(found->certificates), std::move(found->key), files, now);
  }
  auto certificates = pem_certificates(files.chain, file->text());
  if (!certificates) return std::unexpected(certificates.error());
  auto key = key_for(files, file->text(), password);
  if (!key) return std::unexpected(key.error());
  return identity_or_list(std::move(*certificates), std::move(*key), files, now);
}

}  // namespace lockgate::tls
