// Front proxies: who speaks for others is judged by those alone, never by its own address,
// lest a list that holds a proxy shuts out all whom it serves. Touches nothing; any thread.
#pragma once
#include "config/config.h"
#include "proxy/facts.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// What is being done when somebody is refused by his address.
inline constexpr const char* kJudging = "looking at `access`";

/// Whether `ip` may speak for others on `listener`, in PROXY headers or in fields of requests.
bool speaks_for_others(const config::Listener& listener, const Ip& ip);

/// Whether the client of a connection is judged by its address: not a front proxy that has named nobody, nor
/// one whose requests will.
bool is_judged(const config::Listener& listener, const Facts& facts);
/// The same of the client of a request.
bool is_judged(const RequestFacts& facts);

}  // namespace lockgate::proxy
