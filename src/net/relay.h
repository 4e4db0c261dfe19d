// Relay: two streams joined, parked. It moves bytes both ways and ends when both
// sides have finished, when one breaks, or when nothing moved for too long.
//
// While nothing moves it is this small record: no coroutine frame, no buffer. One
// thread. If one side breaks, the other is aborted, so that a cut-off transfer never
// looks complete.
#pragma once
#include <optional>

#include "base/clock.h"
#include "loop/reactor.h"
#include "net/flow.h"

namespace lockgate::net {

/// Zero: no limit.
struct RelayTimeouts {
  Duration idle{};         // no byte either way
  Duration half_closed{};  // the same, once one side has finished
};

/// How a relay ended; no error means that both sides finished.
struct RelayEnd {
  std::optional<Error> error;
  Side by = Side::here;  // who finished first, or whose side broke
};

/// Told once when a relay has ended; may destroy it.
class RelayOwner {
 public:
  virtual void relay_ended(const RelayEnd& end) = 0;

 protected:
  ~RelayOwner() = default;
};

class Relay final : private loop::Runnable, private StreamOwner {
 public:
  Relay(AnyStream client, AnyStream upstream, Buffers& buffers, const RelayTimeouts& timeouts,
        RelayOwner& owner);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Starts. The upstream first gets `header`, which is ours and not counted, and `first`, which set-up has
  /// read from the client; the client gets `early`, which set-up has read from the upstream. The end is told
  /// in a later turn at the earliest.
  void begin(Bytes header, Bytes first, Bytes early = {});
  /// Ends it in the next turn, aborting both sides.
  void cut(Errc why, const char* doing);

  /// Bytes taken from the client (the upstream) so far.
  std::uint64_t bytes_up() const { return up_.bytes(); }
  std::uint64_t bytes_down() const { return down_.bytes(); }

 private:
  void run() override;
  void stream_changed() override { reactor_.enqueue(*this); }
  bool pump(Flow& flow);
  void tire();
  void stop(const Error& error);
  Instant deadline() const;

  loop::Reactor& reactor_;
  RelayOwner& owner_;
  RelayTimeouts timeouts_;
  AnyStream client_, upstream_;
  Flow up_, down_;
  RelayEnd end_;
  Instant last_moved_;
  bool over_ = false;
  loop::Timer timer_{*this};
};

}  // namespace lockgate::net
