// Flow: one direction of a relay. It moves what arrives on one stream to another and
// passes the end on as a half-close.
//
// What the receiver cannot take yet is kept here, or stays in a kernel pipe; until it
// is gone nothing more is read: back-pressure by construction. While nothing moves a
// flow holds no buffer. Between two plain sockets bulk goes through splice, which
// raises SIGPIPE where send would not: the process must ignore that signal.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "net/buffers.h"
#include "net/stream.h"

namespace lockgate::net {

class Flow {
 public:
  Flow(Stream& from, Side from_side, Stream& to, Side to_side, Buffers& buffers)
      : from_(from), to_(to), buffers_(buffers), from_side_(from_side), to_side_(to_side) {}

  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  ~Flow();

  /// Goes before all that is read: `header`, which is not counted, and `bytes`, which the sender has sent.
  /// Copied.
  void send_first(Bytes header, Bytes bytes);
  /// Moves until nothing can be moved, or a fair share is done: then true, and it wants another turn. An
  /// error names the side that broke.
  Result<bool> pump();

  /// The sender has ended, everything was delivered, and the receiver was told so.
  bool finished() const { return finished_; }
  /// The receiver will be closed as soon as this flow has finished: that tells it the end as well.
  void leave_end_to_close() { close_tells_end_ = true; }
  bool sender_ended() const { return ended_; }
  /// Bytes taken from the sender.
  std::uint64_t bytes() const { return bytes_; }
  /// Whether anything moved since the last call, be it the end.
  bool take_moved() { return std::exchange(moved_, false); }

 private:
  enum class Step : std::uint8_t { again, wait };
  struct Kept {
    std::vector<std::byte> bytes;
    std::size_t sent = 0;
  };

  Result<Step> step();
  Result<Step> copy();
  Result<Step> splice_in();
  Result<Step> push_kept();
  Result<Step> push_pipe();
  Result<Step> pass_end();
  void keep(Bytes bytes);
  std::unexpected<Error> broke(const Error& error, Side side) const {
    return std::unexpected(error.on(side));
  }

  Stream& from_;
  Stream& to_;
  Buffers& buffers_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Kept> kept_;
  std::unique_ptr<Pipe> pipe_;
  Side from_side_, to_side_;
  bool bulk_ = false;                 // splice rather than copy
  Ending ending_ = Ending::complete;  // the sender's, once it has ended
  bool ended_ = false;
  bool finished_ = false;
  bool close_tells_end_ = false;
  bool moved_ = false;
};

}  // namespace lockgate::net
