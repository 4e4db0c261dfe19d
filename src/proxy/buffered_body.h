// Buffered bodies: what is kept of a request until its upstream is asked, and of an answer
// until its client takes it, so that whoever is slow holds nobody but us.
//
// Each keeps as much as its route allows, and the last piece on top of it. They belong to
// one exchange and are freed with it. One thread.
#pragma once
#include <deque>
#include <optional>
#include <vector>

#include "http/exchange.h"
#include "loop/reactor.h"
#include "loop/wait.h"

namespace lockgate::proxy {

/// The beginning of a request's body, or all of it. It can be sent again and again.
class BufferedRequest {
 public:
  /// How many bytes are kept, and how many a request may have in all; 0: any number.
  struct Limits {
    std::uint64_t kept = 0, allowed = 0;
  };

  /// Reads what there is until the body ends or enough of it is kept. Fails as reading does, and with
  /// `too_large` above the limit.
  loop::Task<void> read(http::Exchange& exchange, Limits limits);

  Bytes bytes() const { return bytes_; }
  /// Nothing comes behind it, not even trailers.
  bool whole() const { return whole_; }

 private:
  std::vector<std::byte> bytes_;
  bool whole_ = false;
};

/// An answer's body between two tasks: one reads it from the upstream as fast as it comes, the other takes
/// it as fast as the client does.
class BufferedAnswer {
 public:
  BufferedAnswer(loop::Reactor& reactor, std::uint64_t most) : reactor_(reactor), most_(most) {}
  BufferedAnswer(const BufferedAnswer&) = delete;
  BufferedAnswer& operator=(const BufferedAnswer&) = delete;

  /// Puts a piece behind the others.
  void put(http::Piece piece);
  /// There will be no further piece: the answer has broken off.
  void fail(const Error& why);
  /// Waits until another piece may be put.
  loop::Task<void> wait_for_room();

  /// The next piece, whose bytes stay until the one after it is taken. Fails with what fail() was told, once
  /// all that came before is taken.
  loop::Task<http::Piece> take();

 private:
  bool is_ready() const { return !parts_.empty() || ended_ || why_; }

  loop::Reactor& reactor_;
  std::uint64_t most_;
  std::uint64_t size_ = 0;                    // of all parts
  std::deque<std::vector<std::byte>> parts_;  // not yet taken
  std::vector<std::byte> taken_;              // the one that was taken last
  bool ended_ = false;
  std::optional<Error> why_;
  loop::WaitSlot came_, went_;
};

}  // namespace lockgate::proxy
