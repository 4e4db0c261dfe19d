// Where a request goes: its site among those of the listener, its path in the one form,
// and the route that takes it; and where a route that redirects leads.
//
// Requests are served by this and `lockgate explain` asks it, so that both agree. Touches
// nothing but what it is given; one thread.
#pragma once
#include <span>
#include <string_view>

#include "base/arena.h"
#include "http/message.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// The site of that name on a connection that was taken for the site `taken`, be it of an older plan; null
/// for one that the connection must not reach, or if there is none.
const SitePlan* site_within_reach(const ListenerPlan& listener, const SitePlan& taken, const Facts& facts,
                                  std::string_view name);

/// Notes what `request` says of itself.
void note_request(RequestFacts& facts, const http::Request& request);

/// Finds site, path, query, route and captures for `facts`, which have their request, on a connection that
/// the site `taken` was chosen for. The error's detail is the status to answer with instead: 421, 405, 400 by
/// the policy of paths, 404, 508.
Result<void> route_request(RequestFacts& facts, const SitePlan& taken, const http::Request& request,
                           std::span<const Regex> regexes, Arena& arena);

struct Redirection {
  int status = 0;
  std::string_view location;
};

/// What the route that `facts` have, one that redirects, answers with.
Result<Redirection> redirection(const RequestFacts& facts, Arena& arena);

}  // namespace lockgate::proxy
