#include "net/flow.h"

#include <fcntl.h>

#include <cerrno>

namespace lockgate::net {
namespace {

constexpr int kStepsPerTurn = 8;              // then the others have their turn
constexpr std::size_t kBulkRead = 16 * 1024;  // a read of this size makes splice worth its two calls
constexpr std::size_t kBulkLeast = 4 * 1024;  // a piece below this size makes it not

}  // namespace

Flow::~Flow() {
  if (pipe_) buffers_.give_pipe(std::move(pipe_));
}

void Flow::send_first(Bytes header, Bytes bytes) {
  bytes_ += bytes.size();
  if (header.empty() && bytes.empty()) return;
  keep(header);
  kept_->bytes.insert(kept_->bytes.end(), bytes.begin(), bytes.end());
}

Result<bool> Flow::pump() {
  if (finished_) {
    // What arrives behind the end can only be the news that the connection broke.
    if (from_.broken()) return broke(from_.why_broken("relaying"), from_side_);
    return false;
  }
  for (int steps = 0; steps < kStepsPerTurn; ++steps) {
    auto step = this->step();
    if (!step) return std::unexpected(step.error());
    if (*step == Step::wait || finished_) return false;
  }
  return true;
}

Result<Flow::Step> Flow::step() {
  if (kept_) return push_kept();
  if (pipe_) return push_pipe();
  if (ended_) return pass_end();
  if (!from_.readable()) return Step::wait;
  return bulk_ ? splice_in() : copy();
}

Result<Flow::Step> Flow::copy() {
  Room room = buffers_.scratch();
  auto arrived = from_.read_some(room);
  if (!arrived) return broke(arrived.error(), from_side_);
  if (arrived->bytes == 0 && !arrived->ended) return Step::wait;
  moved_ = true;
  ended_ = arrived->ended;
  ending_ = arrived->ending;
  if (ended_) return Step::again;
  bytes_ += arrived->bytes;
  Bytes bytes = room.first(arrived->bytes);
  auto written = to_.write_some(bytes);
  if (!written) return broke(written.error(), to_side_);
  bulk_ = arrived->bytes >= kBulkRead && from_.plain_descriptor() >= 0 && to_.plain_descriptor() >= 0;
  if (*written == bytes.size()) return Step::again;
  keep(bytes.subspan(*written));
  return Step::again;
}

Result<Flow::Step> Flow::splice_in() {
  auto pipe = buffers_.take_pipe();
  if (!pipe) {
    bulk_ = false;
    return Step::again;
  }
  ssize_t got = ::splice(from_.plain_descriptor(), nullptr, pipe->write_end.number(), nullptr,
                         Buffers::kPipeSize, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got <= 0) {
    int error = errno;
    buffers_.give_pipe(std::move(pipe));
    if (got < 0 && error == EAGAIN) {
      from_.drained();
      return Step::wait;
    }
    bulk_ = false;
    if (got == 0) return Step::again;  // the end: the next read tells it
    return broke(system_error(error, "reading"), from_side_);
  }
  pipe->bytes = static_cast<std::size_t>(got);
  moved_ = true;
  bytes_ += pipe->bytes;
  bulk_ = pipe->bytes >= kBulkLeast;
  pipe_ = std::move(pipe);
  return push_pipe();
}

Result<Flow::Step> Flow::push_kept() {
  if (!to_.writable()) return Step::wait;
  auto written = to_.write_some(Bytes(kept_->bytes).subspan(kept_->sent));
  if (!written) return broke(written.error(), to_side_);
  moved_ |= *written > 0;
  kept_->sent += *written;
  if (kept_->sent == kept_->bytes.size()) kept_.reset();
  return Step::again;
}

Result<Flow::Step> Flow::push_pipe() {
  if (!to_.writable()) return Step::wait;
  ssize_t sent = ::splice(pipe_->read_end.number(), nullptr, to_.plain_descriptor(), nullptr, pipe_->bytes,
                          SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (sent < 0 && errno == EAGAIN) {
    to_.filled();
    return Step::wait;
  }
  if (sent < 0) return broke(system_error(errno, "writing"), to_side_);
  moved_ = true;
  pipe_->bytes -= static_cast<std::size_t>(sent);
  if (pipe_->bytes == 0) buffers_.give_pipe(std::move(pipe_));
  return Step::again;
}

Result<Flow::Step> Flow::pass_end() {
  if (!close_tells_end_ || !to_.close_tells_end()) {
    auto told = to_.finish(ending_);
    if (!told) return broke(told.error(), to_side_);
    if (!*told) return Step::wait;
  }
  finished_ = true;
  return Step::wait;
}

void Flow::keep(Bytes bytes) { kept_ = std::make_unique<Kept>(Kept{.bytes = {bytes.begin(), bytes.end()}}); }

}  // namespace lockgate::net
