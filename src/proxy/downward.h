// What comes down: an upstream's answer made into the one that the client is given.
#pragma once
#include "base/arena.h"
#include "http/message.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// Rewrites what `answer` says of its upstream, signs it, and makes the operator's changes. `sent` is the
/// request as it was sent.
void prepare_answer(http::Response& answer, const RequestFacts& facts, const http::Request& sent,
                    std::span<const Regex> regexes, Arena& arena);

}  // namespace lockgate::proxy
