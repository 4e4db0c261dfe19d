// Two ends of TLS over a connection made of memory, for stories about the stream itself.
#pragma once
#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stories/memory_stream.h"
#include "tls/client_side.h"
#include "tls/self_signed.h"
#include "tls/server_side.h"

namespace lockgate::stories {

/// A certificate made for `names`, once for each kind and list of names.
tls::SharedIdentity made_identity(const std::vector<std::string>& names,
                                  tls::KeyKind kind = tls::KeyKind::ecdsa);
/// A store that trusts an identity.
tls::OwnedStore trust_in(const tls::Identity& identity);

/// Both sides' terms. Every identity of the server is trusted by the client.
struct TlsTerms {
  config::TlsServer server;
  config::TlsClient client;
  std::vector<tls::SharedIdentity> identities = {made_identity({"www.example.com"})};
  tls::SharedIdentity client_identity;
  std::shared_ptr<const tls::TicketKeys> tickets = tls::TicketKeys::fresh(nullptr);
  std::string policy = "site";
  std::map<std::string, std::shared_ptr<const tls::Staple>> staples;  // by fingerprint
};

/// The sides made of some terms, and the streams that they begin.
class TlsSides {
 public:
  explicit TlsSides(const TlsTerms& terms);

  std::unique_ptr<tls::TlsStream> server(net::AnyStream under, const std::string& name = "www.example.com",
                                         const std::vector<std::string>& alpn = {}, Bytes seen = {});
  std::unique_ptr<tls::TlsStream> client(net::AnyStream under, const std::string& name = "www.example.com",
                                         const std::vector<std::string>& alpn = {});
  tls::ClientSide& client_side() { return *client_; }
  /// Clients go on with what they were given; the server begins anew with other terms.
  void change_server(const TlsTerms& terms);
  /// By which staples expire.
  ManualClock& clock() { return clock_; }

 private:
  ManualClock clock_;
  tls::Library server_library_, client_library_;
  tls::Scratch server_scratch_, client_scratch_;
  std::shared_ptr<const tls::ServerSide> server_;
  std::shared_ptr<tls::ClientSide> client_;
};

}  // namespace lockgate::stories
