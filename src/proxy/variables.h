// Variables: what stands for "$client_address" and its kind in texts of the operator.
#pragma once
#include <string_view>

#include "base/arena.h"
#include "config/http.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

/// The client's address without port; empty if it is a Unix socket.
std::string_view address_of_client(const RequestFacts& facts, Arena& arena);

/// The text with its variables filled in, in `arena` or in memory that lives as long as the plan. Nothing in
/// it can end a field's line.
std::string_view filled_in(const config::Template& text, const RequestFacts& facts, Arena& arena);

/// What one variable stands for, as it is; not for those of texts, captures and logs.
std::string_view value_of(config::Variable variable, const RequestFacts& facts, Arena& arena);

}  // namespace lockgate::proxy
