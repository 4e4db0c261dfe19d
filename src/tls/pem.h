// PEM: the text form in which certificates and keys mostly come.
//
// Everything between the blocks is passed over, and so are blocks of other kinds. What
// stands in a file keeps its order here. `name` is what sentences call the text; they
// say what is wrong with it and what to do. Pure functions; any thread. No password is
// ever asked for on the terminal.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"
#include "tls/key.h"

namespace lockgate::tls {

/// All certificates, at least one.
std::expected<std::vector<OwnedCertificate>, std::string> pem_certificates(std::string_view name,
                                                                           std::string_view text);
/// The one private key, decrypted. `password` is empty where there is none.
std::expected<OwnedKey, std::string> pem_key(std::string_view name, std::string_view text,
                                             std::string_view password);
/// True if there is a private key, whether or not it could be read.
bool has_pem_key(std::string_view text);

}  // namespace lockgate::tls
