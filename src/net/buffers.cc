#include "net/buffers.h"

#include <fcntl.h>

#include <array>

namespace lockgate::net {

std::unique_ptr<Pipe> Buffers::take_pipe() {
  if (lent_ == kMostPipes) return nullptr;
  if (!pipes_.empty()) {
    auto pipe = std::move(pipes_.back());
    pipes_.pop_back();
    ++lent_;
    return pipe;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  fcntl(ends[1], F_SETPIPE_SZ, kPipeSize);  // refused beyond the user's quota: then it is smaller
  ++lent_;
  return std::make_unique<Pipe>(Pipe{Fd(ends[0]), Fd(ends[1])});
}

void Buffers::give_pipe(std::unique_ptr<Pipe> pipe) {
  --lent_;
  if (pipe->bytes == 0 && pipes_.size() < kPipesKept) pipes_.push_back(std::move(pipe));
}

}  // namespace lockgate::net
