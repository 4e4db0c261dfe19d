// The body of an HTTP/1 message as it comes in: pieces of data, in whichever way the
// body is delimited (RFC 9112, 6).
#pragma once
#include <optional>

#include "http/message.h"
#include "http/receive1.h"
#include "loop/task.h"
#include "wire/chunked.h"
#include "wire/http_framing.h"

namespace lockgate::http {

class Body1 {
 public:
  /// A body is to come.
  void begin(const wire::Framing& framing);
  /// All of it was read.
  bool ended() const { return ended_; }
  /// Bytes of data so far.
  std::uint64_t bytes() const { return bytes_; }
  const Fields::List& trailers() const;

  /// What has arrived of it; nothing if more has to come. The bytes stay valid until more is received.
  Result<std::optional<Piece>> next(Receiver1& receiver);
  /// The sender has ended: the last piece, if that ends this body.
  Result<Piece> end(net::Ending ending);

 private:
  Result<std::optional<Piece>> next_chunks(Receiver1& receiver);

  wire::Framing framing_;
  std::optional<wire::ChunkedReader> chunks_;
  std::uint64_t left_ = 0;  // of a sized one
  std::uint64_t bytes_ = 0;
  bool ended_ = true;
};

/// The next piece of `body`, as `receiver` has it. `timed_out` at the deadline.
loop::Task<Piece> read_piece(Receiver1& receiver, Body1& body, Instant deadline);

}  // namespace lockgate::http
