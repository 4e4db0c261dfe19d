// Sending messages of HTTP/1: heads and pieces of bodies, put into the form in which
// the body is delimited, and written in as few calls as can be.
#pragma once
#include <string>

#include "http/desk.h"
#include "http/head1.h"
#include "loop/task.h"
#include "net/stream.h"

namespace lockgate::http {

class Sender1 {
 public:
  Sender1(net::Stream& stream, Desk& desk) : stream_(stream), desk_(desk) {}

  /// A message begins, with a body of this form; `length` bytes if it is sized.
  void begin(BodyForm form, std::uint64_t length);
  /// They go behind a chunked body, and nowhere else.
  void add_trailers(const Fields::List& trailers) { last_chunk_ = last_chunk(trailers); }

  /// Writes `head`, to which it appends, and the first piece. Each time the receiver takes something, it has
  /// `patience` to take more (zero: for ever); `timed_out` else. An error is `retryable` if not a byte has
  /// gone.
  loop::Task<void> send(std::string& head, Piece first, Duration patience);
  loop::Task<void> write(Piece piece, Duration patience);

  /// All of the body was given.
  bool ended() const { return ended_; }
  /// Bytes of bodies so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  loop::Task<void> put(std::string& before, Piece piece, Duration patience);
  loop::Task<void> put_rest(std::string rest, Duration patience);
  bool count(const Piece& piece);
  std::string_view frame(const Piece& piece, std::string& before);

  net::Stream& stream_;
  Desk& desk_;
  std::string last_chunk_;
  std::uint64_t bytes_ = 0, left_ = 0;
  BodyForm form_ = BodyForm::none;
  bool ended_ = true;
};

}  // namespace lockgate::http
