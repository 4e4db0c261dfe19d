// Couples: clients and servers of TLS that were made for each other, each with terms of its own.
//
// Keys, certificates and all that libcrypto draws come from the same random numbers in
// every run, so that an input always meets the same conversation.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tls/client_side.h"
#include "tls/server_side.h"

namespace lockgate::fuzz {

/// The name for which the servers have certificates.
inline constexpr const char* kName = "www.example.com";

struct Couple {
  std::shared_ptr<const tls::ServerSide> server;
  config::TlsClient client;
  tls::SharedIdentity shown;  // by the client
  tls::OwnedStore trust;
  std::uint16_t version = 0;  // that they agree on; 0: the client does not trust the server

  /// A client that has never been anywhere.
  std::shared_ptr<tls::ClientSide> new_client() const;
};

/// The library, and the memory for records, of all clients or of all servers.
struct Quarters {
  tls::Library library;
  tls::Scratch scratch;
};
Quarters& clients_quarters();
Quarters& servers_quarters();

/// Made once.
const std::vector<Couple>& couples();

/// From here on libcrypto's random numbers are the ones that it had after the last call.
void repeat_random();

}  // namespace lockgate::fuzz
