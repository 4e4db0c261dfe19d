// Any bytes, read as PEM and as PKCS#12: what comes out is whole, and what is said of the rest never has the
// password in it. The seeds have the password "secret".
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/address.h"
#include "base/check.h"
#include "base/name_pattern.h"
#include "tls/describe.h"
#include "tls/pkcs12.h"
#include "tls/weaknesses.h"

namespace lockgate::tls {
namespace {

constexpr std::string_view kPassword = "secret";
constexpr WallTime kNow = 1'800'000'000'000'000'000;

void check_names(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::string_view host = name;
    if (host.starts_with("*.")) host.remove_prefix(2);
    CHECK(Ip::parse(name) || normalized_name(host) == host);
  }
}

void check(const FoundIdentity& found) {
  if (!found) {
    CHECK(!found.error().empty() && !found.error().contains(kPassword));
    return;
  }
  const Identity& identity = **found;
  CHECK(X509_check_private_key(identity.certificate.get(), identity.key.get()) == 1);
  check_names(identity.names);
  for (const auto& sentence : weaknesses(identity, kNow)) CHECK(!sentence.empty());
  auto shown = description(identity, kNow);
  CHECK(shown["certificates"].size() == 1 + identity.chain.size());
  CHECK(!shown.dump().empty() && !in_words(shown).empty());
}

}  // namespace
}  // namespace lockgate::tls

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lockgate;
  auto bytes = std::as_bytes(std::span(data, size));
  if (tls::is_pkcs12(bytes)) {
    tls::check(tls::parse_pkcs12(bytes, tls::kPassword));
    tls::check(tls::parse_pkcs12(bytes, ""));
  } else {
    tls::check(tls::parse_pem(as_text(bytes), "", tls::kPassword));
  }
  return 0;
}
