// What rates say to a request: it goes on, waits for its turn, or is refused with 429 and
// the time after which it would not be.
//
// A request is counted at every rate that holds for its route, or at none if one refuses
// it: be it once its user is known, and then without what time has made up for since. A part of a rate's key
// that the request has not (no user, no such field) is the client's address instead: leaving something out
// frees nobody. Requests over Unix sockets without a trusted field have no such address, and are not counted
// by it.
#pragma once
#include "guard/rate_rule.h"
#include "loop/task.h"
#include "proxy/house.h"
#include "proxy/request_facts.h"

namespace lockgate::http {
class Exchange;
}

namespace lockgate::proxy {

/// The rates that hold for what was found of the request; null: none.
const guard::RateRules* rates_of(const RequestFacts& facts);

/// Which of the rates are asked: those by what a request has, or those by who has signed in with it.
enum class RateStage : std::uint8_t { routed, signed_in };

/// Fails with `limited` if there is no turn for the request that it may wait for; `facts` then have what is
/// owed, and the rate. Requests whose rate closes silently are not to be answered.
loop::Task<void> pass_rates(House& house, RequestFacts& facts, const guard::RateRules& rates, RateStage stage,
                            http::Exchange& exchange);

/// Whether the request was refused by a rate that says nothing about it.
bool is_silent(const RequestFacts& facts);

}  // namespace lockgate::proxy
