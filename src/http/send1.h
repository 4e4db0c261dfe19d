// Sending messages of HTTP/1: heads and pieces of bodies, put into the form in which
// the body is delimited, and written in as few calls as can be.
#pragma once
#include <span>
#include <string>

#include "http/desk.h"
#include "http/head1.h"
#include "loop/task.h"
#include "net/stream.h"
#include "wire/chunked.h"

namespace lockgate::http {

class Sender1 {
 public:
  Sender1(net::Stream& stream, Desk& desk) : stream_(stream), desk_(desk) {}

  /// A message begins, with a body of this form; `length` bytes if it is sized.
  void begin(BodyForm form, std::uint64_t length);
  /// They go behind the chunked body that is under way, or about to begin, and nowhere else.
  void add_trailers(const Fields::List& trailers) { last_chunk_ = last_chunk(trailers); }
  bool has_trailers() const { return last_chunk_.size() > wire::kLastChunk.size(); }

  /// Writes `head`, to which it appends, and the first piece. False if not all of it was taken: then drain()
  /// has to be awaited. An error is `retryable` if not a byte has gone.
  Result<bool> send(std::string& head, Piece first);
  Result<bool> write(Piece piece);
  /// Writes what was not taken. Each time the receiver takes something, it has `patience` to take more (zero:
  /// for ever); `timed_out` else.
  loop::Task<void> drain(Duration patience);

  /// All of the body was given, and has gone.
  bool ended() const { return ended_ && rest_.empty(); }
  /// Bytes of bodies so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<bool> put(std::string& before, Piece piece);
  void keep(std::span<const Bytes> parts, std::size_t gone);
  bool count(const Piece& piece);
  std::string_view frame(const Piece& piece, std::string& before);

  net::Stream& stream_;
  Desk& desk_;
  std::string last_chunk_{wire::kLastChunk};  // and the trailers
  std::string rest_;      // given but not taken yet; the next message waits behind it, whoever gave it up
  std::size_t gone_ = 0;  // of rest_
  std::uint64_t bytes_ = 0, left_ = 0;
  BodyForm form_ = BodyForm::none;
  bool ended_ = true;
};

}  // namespace lockgate::http
