// Stapler: asks the issuers of certificates in use whether they still hold, again and
// again, and hands the answers out for clients (OCSP stapling).
//
// It runs on the process's own thread. A good answer is asked for anew when half of its
// time is over, and stays in use until it expires, whatever fails meanwhile; then there
// is none. What fails is told once, until it fails otherwise or succeeds.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "loop/turns.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "proxy/house.h"
#include "tls/keyring.h"

namespace lockgate::proxy {

class Stapler {
 public:
  /// Called on the stapler's thread with what clients of a certificate get from now on; an empty answer takes
  /// the last one back.
  using Deliver =
      std::function<void(const tls::Stapled& stapled, const std::shared_ptr<const tls::Staple>& staple)>;

  Stapler(loop::Reactor& reactor, net::Connector& connector, Journal& journal, Deliver deliver);
  ~Stapler();

  /// Asks for these certificates from now on, by fingerprint, and for no others. Those that were asked for
  /// already keep what they have; where that is nothing, the next try is now. `resolver` is null only if
  /// there are none.
  void take(const std::map<std::string, tls::Stapled>& stapled, std::shared_ptr<net::Resolver> resolver);
  /// Whether there is a good answer for a certificate.
  bool has_answer(const std::string& fingerprint) const;

 private:
  class Kept;

  loop::Reactor& reactor_;
  net::Connector& connector_;
  Journal& journal_;
  Deliver deliver_;
  std::shared_ptr<net::Resolver> resolver_;
  loop::Turns turns_;
  std::map<std::string, std::unique_ptr<Kept>> kept_;  // by fingerprint
};

}  // namespace lockgate::proxy
