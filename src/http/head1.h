// Heads of HTTP/1: from what was read to a message without a version, and back. What
// concerns one connection only ends here, so no story above can pass it on.
#pragma once
#include <string>

#include "base/arena.h"
#include "config/http.h"
#include "http/message.h"
#include "wire/http_framing.h"

namespace lockgate::http {

/// How much a request's head may have.
wire::HeadLimits limits_of(const config::HttpServer& options);

/// Fills `request` from a head that was read, copied into `arena`. `bad_message` where its host or its
/// framing cannot be relied on; the status to answer with is in the detail.
Result<wire::Framing> take_request(const wire::RequestHead& head, Request& request, Arena& arena);

/// The same for an answer to a request with `method`.
Result<wire::Framing> take_response(const wire::ResponseHead& head, std::string_view method,
                                    Response& response, Arena& arena);

/// How a message that we write says where its body ends.
enum class BodyForm : std::uint8_t { none, sized, chunked, until_close };

/// What is written of a connection beside the message.
struct HeadForm {
  BodyForm body = BodyForm::none;
  std::uint64_t length = 0;    // of a sized body
  bool close = false;          // Connection: close
  bool keep_alive = false;     // Connection: keep-alive, which HTTP/1.0 wants to hear
  bool asks_continue = false;  // Expect: 100-continue
  std::string_view protocol = "HTTP/1.1";
  bool to_proxy = false;  // the target in absolute form (RFC 9112, 3.2.2)
  std::string_view proxy_authorization = {};
};

/// Appends the head, its empty last line included.
void write_request(const Request& request, const HeadForm& form, std::string& out);
void write_response(const Response& response, const HeadForm& form, std::string& out);
/// The trailer section behind the last chunk, "0" and CR LF included.
std::string last_chunk(const Fields::List& trailers);

/// The usual words for a status; empty for one that has none.
std::string_view reason_of(int status);

}  // namespace lockgate::http
