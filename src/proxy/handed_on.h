// What an upstream is told of who asks: the user, credentials in its place, and the
// client's certificate. Whatever the client says itself in these fields, or in those that
// tell of its connection, goes no further: one rule for all of them.
#pragma once
#include "base/arena.h"
#include "http/message.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// Takes out what the client says in fields that only we fill in, also by names that programs behind may take
/// for them.
void remove_hearsay(http::Fields& fields, const RequestFacts& facts);

/// Adds to the fields of a request that has been let in, without hearsay; new texts are in `arena`.
void hand_on_identity(http::Fields& fields, const RequestFacts& facts, Arena& arena);

/// The trailers of its body without those fields, and without what the route takes out or sets: programs
/// behind may merge them with the fields of the head (RFC 9110, 6.5.1).
http::Fields::List trailers_handed_on(http::Fields::List trailers, const RequestFacts& facts);

}  // namespace lockgate::proxy
