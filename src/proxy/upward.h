// What goes up: a client's request made into the one that its upstream is sent.
#pragma once
#include "base/arena.h"
#include "http/message.h"
#include "proxy/endpoint.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// This process, as it signs Via: a name that no other has, so that loops are found.
std::string_view own_pseudonym();
/// Whether the request has been here before (RFC 9110, 7.6.3).
bool has_been_here(const http::Request& request);

/// Counts down the Max-Forwards of OPTIONS (RFC 9110, 7.6.2). False if the request goes no further.
bool may_go_further(http::Request& request, Arena& arena);

/// The path with what the route's rewrite makes of the part that matched.
std::string_view rewritten_path(const RequestFacts& facts, Arena& arena);

/// Target and fields, for any endpoint. `request` and all new texts are in `arena`.
void prepare_request(http::Request& request, const RequestFacts& facts, std::span<const Regex> regexes,
                     Arena& arena);
/// What depends on the endpoint: the scheme, and Host if that is not the client's.
void address_request(http::Request& request, const RequestFacts& facts, const Target& target, Arena& arena);

/// Makes the changes that the operator wants; `patterns` are those of its expressions, in their order.
void edit_fields(http::Fields& fields, const config::FieldEdits& edits, const RequestFacts& facts,
                 std::span<const std::uint32_t> patterns, std::span<const Regex> regexes, Arena& arena);

/// Appends us to the Via of a message that came in this version.
void sign_via(http::Fields& fields, config::Via via, int minor_version, Arena& arena);

}  // namespace lockgate::proxy
