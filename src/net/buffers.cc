#include "net/buffers.h"

#include <fcntl.h>

#include <array>

namespace lockgate::net {
namespace {

std::unique_ptr<Pipe> new_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  fcntl(ends[1], F_SETPIPE_SZ, Buffers::kPipeSize);  // refused beyond the user's quota: then it is smaller
  return std::make_unique<Pipe>(Pipe{Fd(ends[0]), Fd(ends[1])});
}

}  // namespace

std::unique_ptr<Pipe> Buffers::take_pipe() {
  if (lent_ == kMostPipes) return nullptr;
  std::unique_ptr<Pipe> pipe;
  if (pipes_.empty()) {
    pipe = new_pipe();
  } else {
    pipe = std::move(pipes_.back());
    pipes_.pop_back();
  }
  if (pipe) ++lent_;
  return pipe;
}

void Buffers::give_pipe(std::unique_ptr<Pipe> pipe) {
  --lent_;
  if (pipe->bytes == 0 && pipes_.size() < kPipesKept) pipes_.push_back(std::move(pipe));
}

}  // namespace lockgate::net
