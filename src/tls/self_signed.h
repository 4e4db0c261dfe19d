// Certificates made on the spot: self-signed ones, for tests, for machines among
// themselves and until the real one comes; and requests to an authority.
//
// Names are host names, wildcards as "*.example.com", or IP addresses; all of them
// become alternative names, and the first one is the common name, too. Any thread; an
// RSA key takes some tenths of a second.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tls/identity.h"

namespace lockgate::tls {

/// With the day before it begins, in case of slow clocks, as long as browsers take it: 398.
inline constexpr int kSelfSignedDays = 397;

/// A private key and what was made with it, both in PEM.
struct Made {
  Secret key;
  std::string document;  // the certificate or the request
};
/// The key and what follows it, as they stand in one file.
Secret in_one(const Made& made);

/// `kind` is RSA or ECDSA. The failure is a sentence about the names.
std::expected<Made, std::string> self_signed(const std::vector<std::string>& names, KeyKind kind,
                                             WallTime now, int days = kSelfSignedDays);
/// A certificate request (PKCS#10), which any authority takes.
std::expected<Made, std::string> certificate_request(const std::vector<std::string>& names, KeyKind kind);

/// Whether one that was made here is to be made anew by now.
bool is_due(const Identity& identity, WallTime now);

/// Self-signed certificates that outlive the process: one with an RSA key and one with ECDSA, kept in
/// `folder`/self-signed under `id`, whatever characters that has. They are made anew if there are none, they
/// are for other names, or fewer than 30 days are left.
std::expected<std::vector<SharedIdentity>, std::string> kept_self_signed(
    const std::string& folder, std::string_view id, const std::vector<std::string>& names, WallTime now);

}  // namespace lockgate::tls
