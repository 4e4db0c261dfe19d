// What rates say to a connection: as it comes, once its site is known, and while its bytes
// pass.
//
// `client` of a rate is whom the connection is for, as front_proxy.h knows it. A proxy that
// speaks for others is never counted as itself: nor is a Unix socket, which has no address.
//
// What has come has come: a connection that its site refuses stays counted by the rates of
// its arrival, or else who is refused behind the hello could come as often as it likes.
#pragma once
#include <vector>

#include "guard/count_table.h"
#include "guard/rate_rule.h"
#include "net/stream.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"

namespace lockgate::proxy {

/// A connection as rates know it; what is referred to outlives this.
struct Caller {
  const Facts& facts;
  const ListenerPlan& listener;
  const SitePlan* site = nullptr;  // null: not known yet
};

/// Counts the connection at every rate of `rules`, and among those that are there at once in `counted`.
/// Returns the first that has no room for it, and then it is counted nowhere; null if all have.
const guard::RateRule* pass_rates(const House& house, const guard::RateList& rules, const Caller& caller,
                                  std::vector<guard::Counted>& counted);

/// The stream, or one around it that obeys those of `rules` that concern the caller.
net::AnyStream paced(net::AnyStream stream, const guard::RateList& rules, const Caller& caller);

/// What a connection that was too many was refused for.
Error excess_error(const guard::RateRule& rule);

}  // namespace lockgate::proxy
