// Dialling: a connection to one endpoint of an upstream, dressed as its site asks.
#pragma once
#include <string_view>
#include <vector>

#include "loop/task.h"
#include "net/stream.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"

namespace lockgate::proxy {

/// What the client and its site want of the upstream.
struct Errand {
  std::string_view alpn;   // what is offered for the client, as tls::alpn_list() makes it
  Bytes header;            // our PROXY header; goes before everything else
  bool on_trial = false;   // for no client at all, but to see whether the endpoint is there
  bool to_parent = false;  // the upstream is a parent, inside of whose TLS there may be TLS again
};

struct Dialled {
  net::AnyStream stream;
  AtEndpoint at, at_parent;
  tls::TlsStream* tls = nullptr;      // the stream, if it is one; then the header has gone
  std::vector<std::byte> early = {};  // what the upstream has said already, if it is none
};

/// Tries endpoints, each for the upstream's try_timeout and all together until `deadline`, and notes address,
/// parent, attempts and TLS in the facts. `no_endpoint` if none may be tried, otherwise the last one's error.
loop::Task<Dialled> dial(House& house, const OwnAddresses& own, UpstreamView& upstream, Facts& facts,
                         Errand errand, Instant deadline);

/// One endpoint, all the way: through its parent, and up to the end of its handshake.
loop::Task<Dialled> reach(House& house, const OwnAddresses& own, UpstreamView& upstream, const Target& target,
                          Errand errand, Facts& facts, Instant deadline);

}  // namespace lockgate::proxy
