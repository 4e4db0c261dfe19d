// Requests that a parent makes for us: plain HTTP is asked of the parent itself, in
// absolute form (RFC 9112, 3.2.2), rather than through a tunnel, which few parents open
// to port 80.
//
// One thread. The parent's user and password are never in what is said for the log.
#pragma once
#include <optional>
#include <string>

#include "base/arena.h"
#include "http/message.h"
#include "proxy/upstream.h"
#include "wire/connect.h"

namespace lockgate::proxy {

/// The parent that is asked itself for what is at `target`. Null where the endpoint is asked, directly or
/// through a tunnel: with TLS, with SOCKS, for bytes, and where the operator wants it so.
const ParentView* parent_to_ask(const UpstreamView& upstream, const Target& target);

/// Names the endpoint as the parent has to ask it. No other host can be wanted: proxies make Host of the
/// target (RFC 9112, 3.2.2).
void address_by_parent(http::Request& request, const Target& target, Arena& arena);

/// What the parent has answered itself, and not the endpoint: that it wants a login, or that it could not
/// ask. `said` then has its reason in words.
std::optional<Error> refusal_of_parent(const http::Response& answer, const wire::Credentials* credentials,
                                       std::string& said);

/// What may help against a 407.
std::string login_advice(const wire::ConnectAnswer& answer, bool has_login);

}  // namespace lockgate::proxy
