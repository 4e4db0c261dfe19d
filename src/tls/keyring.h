// Keyring: the certificates in use, and the TLS sides that are made with them.
//
// Everything that TLS needs from files is read here, before a configuration takes
// effect, so that a mistake is a sentence and changes nothing. What has not changed
// since is used again. Each worker gets sides of its own. One thread.
#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/whole_file.h"
#include "config/config.h"
#include "tls/client_side.h"
#include "tls/identity.h"
#include "tls/ocsp.h"
#include "tls/server_side.h"
#include "tls/tickets.h"
#include "wire/credentials.h"

namespace lockgate::tls {

/// A site's sides and an upstream's, by worker.
using ServerSides = std::vector<std::shared_ptr<const ServerSide>>;
using ClientSides = std::vector<std::shared_ptr<ClientSide>>;

/// A certificate in use.
struct InUse {
  std::string name;  // under `certificates`
  SharedIdentity identity;
  bool made_here = false;  // self-signed
};

/// A certificate that is shown with the answer of its issuer, if there is one.
struct Stapled {
  std::string name;  // under `certificates`
  SharedIdentity identity;
  Responder responder;
  std::vector<std::shared_ptr<Staple>> staples;  // by worker
};

class Keyring {
 public:
  using Diagnostics = std::vector<config::Diagnostic>;
  struct Tickets {
    std::shared_ptr<const TicketKeys> keys;
    Instant made{};
  };
  /// All that one configuration needs.
  struct Ring {
    std::map<std::string, FileStamp> files;
    std::vector<InUse> certificates;                  // several of one name, if it has several
    std::map<Duration, Tickets> tickets;              // by lifetime
    std::map<std::string, Stapled> stapled;           // by fingerprint
    std::map<std::string, ServerSides> server_sides;  // by what they were made of
    std::map<std::string, ClientSides> client_sides;
    std::map<const config::Site*, const ServerSides*> by_site;
    std::map<const config::Upstream*, const ClientSides*> by_upstream;
    std::map<const config::Parent*, std::shared_ptr<const wire::Credentials>> credentials;
    Diagnostics unusable;
  };
  /// Sides are made for threads 0 to `threads` - 1. The clock outlives them, too.
  Keyring(const Clock& clock, std::size_t threads) : clock_(clock), libraries_(threads) {}

  /// Makes all that `config` needs, which stays where it is; nothing changes before it is used. Tells all
  /// that cannot be used.
  std::expected<Ring, Diagnostics> make(const config::Config& config) const;
  void use(Ring ring) { now_ = std::move(ring); }
  /// Reads again what has changed of the configuration in use, which is `config` itself. Tells what cannot be
  /// used; there the old one stays.
  Diagnostics renew(const config::Config& config);
  /// The certificates that `config` would have in use, or all that cannot be used. Changes nothing, and keeps
  /// no certificate that is made for that.
  std::expected<std::vector<InUse>, Diagnostics> try_out(const config::Config& config) const;
  /// Whether something would be made otherwise now: a file has changed, or a ticket key or a certificate that
  /// is made here has got old.
  bool is_outdated() const;

  /// Of the configuration whose ring is in use. Empty for a site that terminates nothing, or an upstream
  /// without TLS.
  ServerSides server_sides(const config::Site& site) const;
  ClientSides client_sides(const config::Upstream& upstream) const;
  /// None: null.
  std::shared_ptr<const wire::Credentials> credentials(const config::Parent& parent) const;
  const std::vector<InUse>& certificates() const { return now_.certificates; }
  /// Those whose issuers are to be asked, by fingerprint. Their staples stay the same as long as they are in
  /// use.
  const std::map<std::string, Stapled>& stapled() const { return now_.stapled; }

 private:
  class Making;

  const Clock& clock_;
  std::vector<Library> libraries_;
  Ring now_;
};

}  // namespace lockgate::tls
