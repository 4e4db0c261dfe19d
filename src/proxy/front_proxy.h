// Front proxies: who speaks for whom. Whoever speaks for others is let in, counted and
// banned by those alone, never by its own address, lest a list that holds a proxy shuts
// out all whom it serves. Touches nothing; any thread.
#pragma once
#include "config/config.h"
#include "proxy/facts.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// What is being done when somebody is refused by his address.
inline constexpr const char* kJudging = "looking at `access`";

/// Whether it is known only behind a PROXY header, or once it is seen that there is none, whom a connection
/// from `peer` is for.
bool awaits_proxy_header(const config::Listener& listener, const Ip& peer);
/// Whether `ip` may speak for others on `listener`, in PROXY headers or in fields of requests.
bool speaks_for_others(const config::Listener& listener, const Ip& ip);

/// Whether the client of a connection, whose PROXY header was read if there is one, is whom it is for: not a
/// proxy that has to name somebody and has not, nor one whose requests will. Who need not send a header, and
/// names nobody, speaks for itself.
bool speaks_for_itself(const config::Listener& listener, const Facts& facts);
/// The same of the client of a request.
bool speaks_for_itself(const RequestFacts& facts);

}  // namespace lockgate::proxy
