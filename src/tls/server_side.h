// ServerSide: how a site answers TLS clients: which certificate, which terms.
//
// It holds one context for each set of certificates that a name can have, of which
// libssl then takes the one whose key the client can do. Made for one worker and used
// by it alone; immutable.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/name_pattern.h"
#include "tls/context.h"
#include "tls/stream.h"
#include "tls/tickets.h"

namespace lockgate::tls {

/// Whether `identity` has `name`, or a wildcard for it. Of a wildcard: whether it has that one.
bool covers(const Identity& identity, const std::string& name);

/// Where one worker finds the answer of a certificate's issuer (OCSP, DER), which that worker alone reads and
/// changes. Clients get it until it expires, however late it is taken back.
struct Staple {
  std::string answer;       // empty: none
  WallTime good_until = 0;  // then it has expired (nextUpdate)
};

/// What a site's side is made of.
struct ServerTerms {
  const config::TlsServer& tls;
  std::vector<SharedIdentity> identities;     // one at least
  std::shared_ptr<const TicketKeys> tickets;  // null: none are given
  std::string policy;                         // sessions of another one are not resumed
  bool resumes = true;                        // false: every client shows its certificate anew
  std::map<std::string, std::shared_ptr<const Staple>> staples = {};  // of one worker, by fingerprint
  const Clock& clock;  // tells whether a staple has expired; outlives the side
};

class ServerSide {
 public:
  explicit ServerSide(const Clock& clock) : clock_(clock) {}
  static Outcome<std::shared_ptr<const ServerSide>> make(const Library& library, const ServerTerms& terms);

  /// For a client that asked for `name`, which is normalized or empty. The side must stay until the handshake
  /// is over.
  OwnedSsl answer(std::string_view name) const;

 private:
  static int answer_status_request(ssl_st* ssl, void* given);
  void staple(ssl_ctx_st& context, const ServerTerms& terms);

  const Clock& clock_;
  std::vector<OwnedContext> contexts_;
  std::unordered_map<const x509_st*, std::shared_ptr<const Staple>> staples_;  // by contexts' certificates
  NameIndex by_name_;
};

}  // namespace lockgate::tls
