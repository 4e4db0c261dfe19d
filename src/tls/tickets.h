// Ticket keys: what session tickets are sealed with (RFC 5077, 4).
//
// The first key seals, all of them open, so tickets outlive a change of keys. All
// workers share one set; a change makes a new one, of which new contexts are made.
// Immutable; any thread.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/context.h"

namespace lockgate::tls {

struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> authentication;  // HMAC with SHA-256
  std::array<unsigned char, 32> encryption;      // AES-256-CBC
  ~TicketKey();
};
/// In the file of keys, one behind the other.
inline constexpr std::size_t kTicketKeySize = 80;

class TicketKeys {
 public:
  /// One random key, and behind it the first one of `before`, if that is not null.
  static std::shared_ptr<const TicketKeys> fresh(const TicketKeys* before);
  /// Those of a file: 80 bytes each, name, authentication, encryption.
  static Outcome<std::shared_ptr<const TicketKeys>> read(const std::string& path);

  const TicketKey& sealing() const { return keys_.front(); }
  /// The key of that name, or null.
  const TicketKey* named(const unsigned char* name) const;
  /// Changes whenever the keys do; no secret.
  std::string fingerprint() const;

 private:
  std::vector<TicketKey> keys_;
};

/// Has `context` seal and open tickets with `keys`, which it keeps.
void use_tickets(ssl_ctx_st& context, std::shared_ptr<const TicketKeys> keys);

}  // namespace lockgate::tls
