// Receiving bytes of HTTP/1: what was read of a stream and has not been consumed.
//
// New bytes lie in the memory that all connections of a worker share, so whoever waits
// calls keep() before: what is left then moves into memory of its own. While nothing is
// left none is held. One thread.
#pragma once
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "loop/task.h"
#include "net/buffers.h"
#include "net/stream.h"

namespace lockgate::http {

class Receiver1 {
 public:
  Receiver1(net::Stream& stream, net::Buffers& buffers) : stream_(stream), buffers_(buffers) {}

  /// What set-up has read already. Copied.
  void put(Bytes bytes) { kept_.assign(bytes.begin(), bytes.end()); }

  /// What there is. May be changed in place.
  Room view() { return kept_.empty() ? fresh_ : Room(kept_).subspan(begin_); }
  bool empty() const { return size() == 0; }
  std::size_t size() const { return fresh_.size() + kept_.size() - begin_; }

  /// Adds what the stream has, and waits for it if that is nothing: at least one byte, or the end.
  /// `timed_out` at the deadline.
  loop::Task<net::Arrived> more(Instant deadline, const char* doing);
  /// The same without waiting.
  Result<net::Arrived> try_more();
  /// The first `size` bytes are done with; they stay where they are until more come.
  void consume(std::size_t size);
  /// To be called before any wait.
  void keep();
  /// Gives up memory that is not needed.
  void rest();
  /// Whoever waits for more fails with `why`, now and later.
  void give_up(const Error& why);

 private:
  net::Stream& stream_;
  net::Buffers& buffers_;
  Room fresh_;                   // in the shared memory
  std::vector<std::byte> kept_;  // or here
  std::size_t begin_ = 0;        // of kept_, consumed
  std::optional<Error> given_up_;
};

}  // namespace lockgate::http
