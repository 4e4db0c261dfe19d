// Verifying the peer's certificate, so that what is wrong with it can be told.
#pragma once

struct ssl_ctx_st;
struct ssl_st;

namespace lockgate::tls {

/// Has `context` verify the peer's certificate; with `required` it takes no peer without one. Which
/// certificate does not hold is left in the wire.
void verify_peer(ssl_ctx_st& context, bool required);

/// Has the session of `ssl` end with the peer's certificate, for who resumes it does not show that again.
void end_session_with_certificate(ssl_st& ssl);

}  // namespace lockgate::tls
