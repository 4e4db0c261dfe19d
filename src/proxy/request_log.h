// What is seen of requests from outside: their lines in the access log, and what is
// counted of them. Whoever tells it here is told once for each, on the worker's thread.
#pragma once
#include "base/arena.h"
#include "proxy/house.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// A request is over. What its line takes is in `arena`.
void finish_request(House& house, const RequestFacts& facts, const Plan& plan, Arena& arena);

/// An endpoint that was to answer it has not, over a fresh connection or one from the pool.
void note_failed_try(const House& house, RequestFacts& facts, const Error& error);

}  // namespace lockgate::proxy
