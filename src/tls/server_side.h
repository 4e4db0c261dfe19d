// ServerSide: how a site answers TLS clients: which certificate, which terms.
//
// It holds one context for each set of certificates that a name can have, of which
// libssl then takes the one whose key the client can do. Made for one worker and used
// by it alone; immutable.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/name_pattern.h"
#include "tls/context.h"
#include "tls/stream.h"
#include "tls/tickets.h"

namespace lockgate::tls {

/// Whether `identity` has `name`, or a wildcard for it. Of a wildcard: whether it has that one.
bool covers(const Identity& identity, const std::string& name);

/// What a site's side is made of.
struct ServerTerms {
  const config::TlsServer& tls;
  std::vector<SharedIdentity> identities;     // one at least
  std::shared_ptr<const TicketKeys> tickets;  // null: none are given
  std::string policy;                         // sessions of another one are not resumed
};

class ServerSide {
 public:
  static Outcome<std::shared_ptr<const ServerSide>> make(const Library& library, const ServerTerms& terms);

  /// For a client that asked for `name`, which is normalized or empty.
  OwnedSsl answer(std::string_view name) const;

 private:
  std::vector<OwnedContext> contexts_;
  NameIndex by_name_;
};

}  // namespace lockgate::tls
