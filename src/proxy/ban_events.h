// What the rules of bans may count, where connections and requests end badly.
#pragma once
#include "proxy/house.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// A connection was not taken, for `why`.
void note_event(const House& house, const Facts& facts, const Plan& plan, const Error& why);

/// A request is over.
void note_events(const House& house, const RequestFacts& facts, const Plan& plan);

}  // namespace lockgate::proxy
