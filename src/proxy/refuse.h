// Refusing: the last words to a client that is not let through, in its own language.
#pragma once
#include "config/config.h"
#include "loop/task.h"
#include "net/buffers.h"
#include "net/stream.h"
#include "proxy/facts.h"

namespace lockgate::proxy {

/// Says why (a TLS alert, an HTTP page, or nothing), finishes, and waits a moment for the client to close, so
/// that the words arrive; with `reset` it says nothing, and with `silence` it lets the client wait for a few
/// seconds. Never fails.
loop::Task<void> refuse(net::Stream& client, net::Buffers& buffers, const Facts& facts, const Error& why,
                        config::RejectWith how);

/// Finishes and waits a moment for the client to close, so that what it was told last arrives. Never fails.
loop::Task<void> part(net::Stream& client, net::Buffers& buffers);

}  // namespace lockgate::proxy
