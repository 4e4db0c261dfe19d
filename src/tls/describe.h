// Certificates for people and programs to read: what `lockgate certificate inspect`
// shows. Pure functions but for inspect(), which reads files; any thread.
#pragma once
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tls/identity.h"

namespace lockgate::tls {

/// One certificate: subject, issuer, serial, names, validity, key, signature, fingerprint, pin.
nlohmann::ordered_json description(x509_st* certificate, WallTime now);
/// Certificate and chain under "certificates", the key under "key", weaknesses under "warnings".
nlohmann::ordered_json description(const Identity& identity, WallTime now);
/// The same in lines for people.
std::string in_words(const nlohmann::ordered_json& description);

/// Describes what is in a file, PEM or PKCS#12 by its content. With a key, there or in `files.key`, that is
/// the identity they make, or the sentence why they make none; without one, every certificate as it stands.
std::expected<nlohmann::ordered_json, std::string> inspect(const PemFiles& files, std::string_view password,
                                                           WallTime now);

}  // namespace lockgate::tls
