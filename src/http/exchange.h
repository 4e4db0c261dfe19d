// Exchange: one request and its answer, as the server's side has them; Call: the same as
// the client's side has them. Stories between the two never know the version of HTTP.
//
// One thread. Destroying an exchange or a call that is not over breaks it off: the other
// end sees that something is missing.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "loop/task.h"
#include "net/stream.h"

namespace lockgate::http {

/// What an exchange needs while it is under way; used again afterwards.
struct Memory {
  Arena arena;
  Request request;
  Response response;

  void clear() {
    arena.clear();
    request.clear();
    response.clear();
  }
};

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  virtual Memory& memory() = 0;
  Request& request() { return memory().request; }
  Arena& arena() { return memory().arena; }

  /// The next part of the request's body, of at least one byte unless it is the last. Fails with the client's
  /// errors, `bad_message` for what is no body, and `timed_out` for one that comes too slowly.
  virtual loop::Task<Piece> read() = 0;
  /// What has arrived of it already; nothing if that is nothing.
  virtual Result<std::optional<Piece>> read_now() = 0;
  /// The body's trailers, once its last piece was read.
  virtual const Fields::List& trailers() const = 0;
  /// Nobody wants the rest of the body: unless it is there already, this connection takes no further request.
  virtual void leave_body() = 0;
  /// Tells the client to go on, if it waits for that.
  virtual loop::Task<void> say_continue() = 0;

  /// An interim answer (1xx); before respond().
  virtual loop::Task<void> inform(const Response& interim) = 0;
  /// The answer's head and the first part of its body, which is empty where there is none.
  virtual loop::Task<void> respond(const Response& answer, Piece first) = 0;
  virtual loop::Task<void> write(Piece piece) = 0;
  /// Before the last piece is written; left out where the client takes none.
  virtual void add_trailers(const Fields::List& trailers) = 0;

  /// Behind an answer of 101: from now on the connection is joined to `upstream`, which has said `early`
  /// already, until nothing moves for `patience`.
  virtual void switch_to(net::AnyStream upstream, Bytes early, Duration patience) = 0;

  virtual bool responded() const = 0;
  /// Of the answer's body.
  virtual std::uint64_t bytes_sent() const = 0;
  virtual std::uint64_t bytes_received() const = 0;
  /// Of an exchange that is destroyed before its end: why.
  virtual Error why_broken_off() const = 0;
  /// This connection takes no further request.
  virtual void close_afterwards() = 0;
};

class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  /// The request's head and the first part of its body; each time the upstream takes something, it has
  /// `patience` to take more. An error is `retryable` if not a byte has gone.
  virtual loop::Task<void> send(const Request& request, Piece first, Duration patience) = 0;
  virtual loop::Task<void> write(Piece piece, Duration patience) = 0;
  virtual void add_trailers(const Fields::List& trailers) = 0;
  /// The next head of an answer, be it interim, into `answer` and `arena`. Can be called again after
  /// `timed_out`. An error is `retryable` if not a byte of an answer has come.
  virtual loop::Task<void> receive(Response& answer, Arena& arena, Instant deadline) = 0;
  virtual loop::Task<Piece> read(Instant deadline) = 0;
  /// What has arrived of the answer's body already; nothing if that is nothing.
  virtual Result<std::optional<Piece>> read_now() = 0;
  virtual const Fields::List& trailers() const = 0;
  /// Whoever waits in receive() or read() fails with `why`.
  virtual void give_up(const Error& why) = 0;
  /// Request and answer are complete, and the connection may serve another call.
  virtual bool is_reusable() const = 0;
  /// Behind an answer of 101: the connection itself; `early` is what the upstream has said on it already.
  virtual net::AnyStream take_stream(std::vector<std::byte>& early) = 0;
};

/// What answers requests.
class Service {
 public:
  /// Answers; what is left unread of the request's body is the server's concern. An error breaks the
  /// connection off.
  virtual loop::Task<void> serve(Exchange& exchange) = 0;
  /// What came is no request, or came too slowly: `why` has a detail of kind http_status. What is known of
  /// the request is in the exchange.
  virtual loop::Task<void> refuse(Exchange& exchange, const Error& why) = 0;

 protected:
  ~Service() = default;
};

}  // namespace lockgate::http
