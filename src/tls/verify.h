// Verifying the peer's certificate, so that what is wrong with it can be told.
#pragma once

struct ssl_ctx_st;

namespace lockgate::tls {

/// Has `context` verify the peer's certificate; with `required` it takes no peer without one. Which
/// certificate does not hold is left in the wire.
void verify_peer(ssl_ctx_st& context, bool required);

/// Has a server's sessions end with the client's certificate, for who resumes one does not show that again.
void end_sessions_with_certificates(ssl_ctx_st& context);

}  // namespace lockgate::tls
