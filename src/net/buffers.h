// The memory that one worker's connections share.
//
// One large scratch, hot in the cache, that every read goes into: what cannot be
// passed on at once is copied out of it, so an idle connection holds no buffer. And a
// few pipes for splice, lent while bytes are in them.
#pragma once
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"

namespace lockgate::net {

/// A kernel pipe; `bytes` are in it.
struct Pipe {
  Fd read_end, write_end;
  std::size_t bytes = 0;
};

class Buffers {
 public:
  static constexpr std::size_t kScratchSize = 256 * 1024;
  static constexpr std::size_t kPipeSize = 1024 * 1024;

  /// Valid until the next call of anyone on this thread that fills it.
  Room scratch() { return {scratch_.get(), kScratchSize}; }
  /// An empty pipe; null when all are lent, or descriptors have run out.
  std::unique_ptr<Pipe> take_pipe();
  /// Gives a lent pipe back; one with bytes in it is closed.
  void give_pipe(std::unique_ptr<Pipe> pipe);

  /// Receivers that take nothing keep pipes; so many of them, and no more.
  static constexpr std::size_t kMostPipes = 32;

 private:
  static constexpr std::size_t kPipesKept = 16;
  std::unique_ptr<std::byte[]> scratch_ = std::make_unique<std::byte[]>(kScratchSize);
  std::vector<std::unique_ptr<Pipe>> pipes_;
  std::size_t lent_ = 0;
};

}  // namespace lockgate::net
