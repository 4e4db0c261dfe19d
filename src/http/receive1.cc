#include "http/receive1.h"

#include "loop/wait.h"

namespace lockgate::http {

using loop::Task;

Task<net::Arrived> Receiver1::more(Instant deadline, const char* doing) {
  keep();
  for (;;) {
    if (given_up_) co_await loop::fail(*given_up_);
    if (!stream_.readable()) {
      loop::Wait wait(stream_.reactor(), stream_.reader(), deadline);
      bool woken = co_await wait;
      if (!woken) co_await loop::fail(Errc::timed_out, doing);
      continue;
    }
    auto arrived = try_more();
    if (!arrived) co_await loop::fail(arrived.error());
    if (arrived->bytes > 0 || arrived->ended) co_return *arrived;
  }
}

Result<net::Arrived> Receiver1::try_more() {
  keep();
  rest();
  Room scratch = buffers_.scratch();
  auto arrived = stream_.read_some(scratch);
  if (!arrived) return arrived;
  Room fresh = scratch.first(arrived->bytes);
  if (kept_.empty())
    fresh_ = fresh;
  else
    kept_.insert(kept_.end(), fresh.begin(), fresh.end());
  return arrived;
}

void Receiver1::consume(std::size_t size) {
  if (kept_.empty())
    fresh_ = fresh_.subspan(size);
  else
    begin_ += size;
}

void Receiver1::keep() {
  if (fresh_.empty()) return;
  kept_.assign(fresh_.begin(), fresh_.end());
  begin_ = 0;
  fresh_ = {};
}

void Receiver1::rest() {
  if (begin_ == 0) return;
  if (begin_ == kept_.size())
    release(kept_);
  else
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
}

void Receiver1::give_up(const Error& why) {
  given_up_ = why;
  stream_.reader().wake_all();
}

}  // namespace lockgate::http
