// Stream: bytes both ways, over anything: TCP, a Unix socket, a test's memory, TLS.
//
// Its core are attempts that never block. Around them stand two ways to wait: a
// task awaits read() or write(), or a parked record is the stream's owner and is
// told of every edge. One thread; whoever holds the AnyStream owns the connection,
// and destroying it closes it.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "loop/task.h"
#include "loop/wait.h"

namespace lockgate::net {

class Stream;

/// A parked record: told that a stream's facts have changed. It enqueues itself and acts in its turn.
class StreamOwner {
 public:
  virtual void stream_changed() = 0;

 protected:
  ~StreamOwner() = default;
};

/// How a sender ended: in the way that its protocol has for it, or without (TLS without close_notify), so
/// that something may be missing.
enum class Ending : std::uint8_t { complete, truncated };

/// What one attempt to read brought: bytes, or the end, or (neither) nothing yet.
struct Arrived {
  std::size_t bytes = 0;
  bool ended = false;
  Ending ending = Ending::complete;  // of an end
};

class Stream {
 public:
  explicit Stream(loop::Reactor& reactor) : reactor_(reactor) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  virtual Result<Arrived> read_some(Room room) = 0;
  /// Takes as much of `bytes` as goes at once and says how much; less than all means: wait for writable(),
  /// and then offer the rest unchanged, for a part of it may be on its way already.
  virtual Result<std::size_t> write_some(Bytes bytes) = 0;
  /// The same for parts that follow each other.
  virtual Result<std::size_t> write_parts(std::span<const Bytes> parts);
  /// Half-close: the peer reads the end; reading goes on. False if that could not be told yet: then call it
  /// again once writable().
  virtual Result<bool> finish(Ending ending) = 0;
  /// Whether the peer reads a complete end when this stream is merely closed.
  virtual bool close_tells_end() const { return true; }
  /// Closing will tell the peer that this was no orderly end (a TCP reset).
  virtual void abort() {}
  /// The descriptor through which the very same bytes pass, for splice; -1 if there is none.
  virtual int plain_descriptor() const { return -1; }

  /// An attempt to read (write) may succeed. True until one finds nothing (no room).
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  /// The connection broke; the reason comes with the next attempt, unless the peer's end was read before.
  bool broken() const { return broken_; }
  /// The reason, for whoever makes no more attempts.
  virtual Error why_broken(const char* doing) const { return {.code = Errc::reset, .doing = doing}; }
  /// splice() on plain_descriptor() found nothing to read (no room).
  void drained() { readable_ = false; }
  void filled() { writable_ = false; }

  void set_owner(StreamOwner* owner) { owner_ = owner; }
  loop::Reactor& reactor() { return reactor_; }
  loop::WaitSlot& reader() { return reader_; }
  loop::WaitSlot& writer() { return writer_; }

 protected:
  /// For implementations: facts have been set; wakes who waits for them.
  void tell() {
    if (readable_) reader_.wake();
    if (writable_) writer_.wake();
    if (owner_) owner_->stream_changed();
  }
  bool readable_ = false, writable_ = false, broken_ = false;

 private:
  loop::Reactor& reactor_;
  loop::WaitSlot reader_, writer_;
  StreamOwner* owner_ = nullptr;
};

using AnyStream = std::unique_ptr<Stream>;

/// Reads at least one byte, or 0 at the end. `timed_out` if the deadline passes first.
loop::Task<std::size_t> read(Stream& stream, Room room, Instant deadline);
/// Writes all of `bytes`, which must stay where they are until then.
loop::Task<void> write(Stream& stream, Bytes bytes, Instant deadline);
/// Tells the peer a complete end.
loop::Task<void> finish(Stream& stream, Instant deadline);
/// Reads what comes into `room`, for nothing, until the peer has ended or `most` bytes have come.
loop::Task<void> discard(Stream& stream, Room room, std::size_t most, Instant deadline);

}  // namespace lockgate::net
