// Errors in words, for logs and status: with what an Error has no room for. Any thread.
#pragma once
#include <string>

#include "proxy/facts.h"

namespace lockgate::proxy {

/// An error's words, which certificate it was, and what a parent has said. `client` is null where there is no
/// TLS with the client.
std::string error_words(const Error& error, const Way& way, const Leg* client = nullptr);

}  // namespace lockgate::proxy
