// ClientSide: how we call a server with TLS: whom we trust, what we show, and the
// sessions that it gave us to come back with.
//
// Made for one worker and used by it alone; it stays as long as a stream that it began.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tls/context.h"
#include "tls/stream.h"

struct ssl_session_st;

namespace lockgate::tls {

void free_session(ssl_session_st* session);

/// Whom to call, and for whom.
struct Call {
  std::string_view endpoint;     // sessions are kept by it
  std::string_view host;         // its name or address
  std::string_view client_name;  // what the client asked for; may be empty
  std::string_view client_alpn;  // what the client offers, as alpn_list() makes it
  bool on_trial = false;         // for no client at all: a name that only one could bring is not verified
};

class ClientSide : public std::enable_shared_from_this<ClientSide> {
 public:
  /// `identity` is null where none is shown. `trust` may be shared by several sides, and is
  /// null only if nothing is verified.
  static Outcome<std::shared_ptr<ClientSide>> make(const Library& library, const config::TlsClient& tls,
                                                   const SharedIdentity& identity, x509_store_st* trust);
  ClientSide() = default;
  ClientSide(const ClientSide&) = delete;
  ClientSide& operator=(const ClientSide&) = delete;

  /// A start without bytes.
  TlsStream::Start call(const Call& call);
  /// After the handshake: whether the server's key is one of the pins, if there are any.
  bool is_pinned(TlsStream& stream) const;

  /// Whether a handshake failed with `error` only because of what the client asked for, so that the endpoint
  /// is not to blame.
  bool is_wish_of_client(const Call& call, const Error& error) const;

  /// Of libssl: a session that the server gave.
  bool keep(const std::string& peer, ssl_session_st& session);

 private:
  using OwnedSession = Owned<ssl_session_st, free_session>;
  bool asks_for_clients_name(const Call& call) const;
  std::string server_name_for(const Call& call) const;
  std::string verify_name_for(const Call& call, const std::string& server_name) const;

  OwnedContext context_;
  config::TlsClient tls_;
  std::string alpn_;                                        // what is offered; empty: what the client offers
  std::unordered_map<std::string, OwnedSession> sessions_;  // by peer
};

}  // namespace lockgate::tls
