// Requirement: who may enter, compiled from what the operator wrote, and asked about one
// request at a time in three values: whoever has not signed in yet may turn out to be
// somebody who may, or somebody who may not (Kleene's logic).
//
// Immutable; any thread, with regular expressions of its own. Asking allocates nothing.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/name_pattern.h"
#include "base/regex.h"
#include "config/require.h"
#include "guard/address_rule.h"
#include "guard/users.h"
#include "wire/http_head.h"

namespace lockgate::guard {

/// In the order of their truth.
enum class Finding : std::uint8_t {
  denied,
  undecided,  // who signs in decides
  granted,
};

/// What rules ask of a client's certificate, which was verified in the handshake.
struct ShownCertificate {
  std::string subject, issuer;  // as RFC 2253 writes them
  std::string fingerprint;      // SHA-256, in lower case hexadecimal
  std::vector<std::string> names;
};

/// What is known of a request and of whoever makes it.
struct Situation {
  std::string_view method;
  std::span<const wire::HeadField> fields;
  const Ip* client = nullptr;  // null: nobody knows, as of a Unix socket; no network has it
  bool https = false;
  std::uint16_t tls_version = 0;  // of our own connection with the client; 0: there is no TLS on it
  std::uint16_t cipher_bits = 0;
  const ShownCertificate* certificate = nullptr;  // null: none was shown
  bool supposes_certificate = false;              // nothing is denied for want of one
  std::string_view user;                          // who has signed in; empty: nobody yet
  const Users* users = nullptr;
  WallTime now = 0;
  std::size_t worker = 0;
  std::span<const Regex> regexes;  // the worker's
};

class Requirement {
 public:
  /// What it is compiled with.
  struct Materials {
    std::function<std::uint32_t(const std::string&)> pattern;  // the number of a regular expression
    std::function<AddressRule(const config::Addresses&)> addresses;
  };
  Requirement(const config::Requirement& said, const Materials& materials);

  Finding find(const Situation& situation) const;
  /// Whether it looks at the client's certificate anywhere.
  bool asks_for_certificate() const;

 private:
  // One of the values that will do: a text, or a regular expression if there is a number.
  struct Wanted {
    std::string text;
    std::optional<std::uint32_t> pattern;
  };

  static std::vector<Wanted> wanted(const std::vector<std::string>& texts, const Materials& materials);
  Finding of_itself(const Situation& situation) const;
  Finding of_user(const Situation& situation) const;
  Finding of_certificate(const Situation& situation) const;
  bool has_tls(const Situation& situation) const;
  bool has_fields(const Situation& situation) const;
  bool fits(const ShownCertificate& certificate, std::span<const Regex> regexes) const;
  bool fits_name(const ShownCertificate& certificate) const;

  config::Requirement said_;  // but for its parts
  std::vector<Requirement> all_, any_, none_;
  std::optional<AddressRule> networks_;
  std::vector<Wanted> subjects_, issuers_;
  std::vector<NamePattern> wildcards_;
};

/// Whether it is that time.
bool holds(const config::TimeCondition& condition, WallTime now);

}  // namespace lockgate::guard
