// PKCS#12: certificates and a key in one binary file, as Windows, Java and many
// authorities hand them out (".p12", ".pfx"; RFC 7292).
//
// Read bag by bag instead of by PKCS12_parse(), which would count to whatever a file
// says. `name` is what sentences call the file. Pure functions; any thread.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "tls/certificate.h"
#include "tls/key.h"

namespace lockgate::tls {

struct Pkcs12 {
  std::vector<OwnedCertificate> certificates;  // as they stand in the file
  OwnedKey key;                                // null if there is none
};

/// True for what begins as PKCS#12 does; PEM and certificates in DER begin differently.
bool is_pkcs12(Bytes bytes);
/// `password` is empty where there is none.
std::expected<Pkcs12, std::string> open_pkcs12(std::string_view name, Bytes bytes, std::string_view password);

}  // namespace lockgate::tls
