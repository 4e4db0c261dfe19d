// Answers to what went wrong: the operator's page for the status, or ours.
#pragma once
#include <span>

#include "http/exchange.h"
#include "loop/task.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// The operator's page for the status that `facts` has; null if there is none.
const WrittenPage* error_page(const RequestFacts& facts);

/// Answers with the status that `facts` has, and with what is owed beside it. The answer must not be stored.
loop::Task<void> answer_with_error(http::Exchange& exchange, const RequestFacts& facts,
                                   std::span<const Regex> regexes, WallTime now);

}  // namespace lockgate::proxy
