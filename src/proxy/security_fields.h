// Fields that keep browsers from what hardly any page wants: being framed, being reached
// without TLS, having its content guessed at.
//
// What the application says itself stays. Pure; any thread.
#pragma once
#include "config/http.h"
#include "http/message.h"

namespace lockgate::proxy {

/// Adds what `answer` has none of, and takes off what `strict` does not tell. `https`: its client has asked
/// by TLS.
void add_security_fields(http::Response& answer, config::SecurityFields wanted, bool https);

}  // namespace lockgate::proxy
