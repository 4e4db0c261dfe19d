// Greeting: from the first byte of a connection to knowing what the client wants.
//
// The PROXY header of a trusted neighbour, then the ClientHello, or the head of a
// plain HTTP request. Nothing is answered here and nothing decrypted: what was read
// is kept, to be passed on or answered. Time and bytes are limited.
#pragma once
#include <vector>

#include "loop/task.h"
#include "net/buffers.h"
#include "net/stream.h"
#include "proxy/facts.h"
#include "proxy/plan.h"
#include "wire/client_hello.h"

namespace lockgate::proxy {

/// What was read of the client and not yet passed on.
using FirstFlight = std::vector<std::byte>;

/// Reads the PROXY header if the peer is in a network that sends one, and sets client and destination from
/// it. `flight` holds what came behind it. As long as the stage is proxy_header, it is not known whom the
/// connection is for.
loop::Task<void> read_proxy_header(net::Stream& client, net::Buffers& buffers,
                                   const config::Listener& listener, FirstFlight& flight, Facts& facts);

/// What greet() found, beside the facts.
struct Greeting {
  std::optional<wire::ClientHello> hello;  // of TLS
};

/// Reads until it is clear what the client speaks and whom it asks for, and sets dialect, name, alpn and
/// versions. A client that is neither TLS nor HTTP is known by its first bytes.
loop::Task<Greeting> greet(net::Stream& client, net::Buffers& buffers, const ListenerPlan& listener,
                           FirstFlight& flight, Facts& facts);

}  // namespace lockgate::proxy
