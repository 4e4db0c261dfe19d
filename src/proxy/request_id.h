// The identity of a request: what a proxy in front of us calls it, or a name that we make.
// Logs, pages of errors and $request_id tell it. Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.h"
#include "config/http.h"
#include "http/message.h"

namespace lockgate::proxy {

/// The X-Request-ID of `request`, if its word is taken: there is one, of at most 128 characters, and none of
/// them means anything in a log, a page or a field.
std::optional<std::string_view> given_id(const http::Request& request, config::RequestId taken,
                                         bool through_proxy);

/// The numbers of the connection and of its request, in hexadecimal.
std::string_view made_id(std::uint64_t connection, std::uint64_t request, Arena& arena);

}  // namespace lockgate::proxy
