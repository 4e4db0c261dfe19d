#include "proxy/buffered_body.h"

#include <algorithm>

#include "proxy/page.h"

namespace lockgate::proxy {

using loop::Task;

namespace {

// What is written at once, and copied if the client does not take it.
constexpr std::size_t kPart = 64 * 1024;

}  // namespace

Task<void> BufferedRequest::read(http::Exchange& exchange, Limits limits) {
  const http::Request& request = exchange.request();
  auto above = [&](std::uint64_t size) { return limits.allowed > 0 && size > limits.allowed; };
  const Error too_large = refusal(Errc::too_large, 413, "reading the request's body");
  if (above(request.length.value_or(0))) co_await loop::fail(too_large);
  bool ended = !request.has_body;
  while (!ended && bytes_.size() < limits.kept) {
    auto reading = exchange.read();
    http::Piece piece = co_await reading;
    ended = piece.last;
    bytes_.insert(bytes_.end(), piece.bytes.begin(), piece.bytes.end());
    if (above(bytes_.size())) co_await loop::fail(too_large);
  }
  whole_ = ended && exchange.trailers().empty();
}

void BufferedAnswer::put(http::Piece piece) {
  size_ += piece.bytes.size();
  ended_ = piece.last;
  bool fits = !parts_.empty() && parts_.back().size() + piece.bytes.size() <= kPart;
  if (fits)
    parts_.back().insert(parts_.back().end(), piece.bytes.begin(), piece.bytes.end());
  else if (!piece.bytes.empty())
    parts_.emplace_back(piece.bytes.begin(), piece.bytes.end());
  came_.wake();
}

void BufferedAnswer::fail(const Error& why) {
  why_ = why;
  came_.wake();
}

Task<void> BufferedAnswer::wait_for_room() {
  while (size_ >= most_) {
    loop::Wait wait(reactor_, went_, kNever);
    co_await wait;
  }
}

Task<http::Piece> BufferedAnswer::take() {
  while (!is_ready()) {
    loop::Wait wait(reactor_, came_, kNever);
    co_await wait;
  }
  taken_.clear();
  if (!parts_.empty()) {
    taken_ = std::move(parts_.front());
    parts_.pop_front();
    size_ -= taken_.size();
    went_.wake();
  } else if (why_) {
    co_await loop::fail(*why_);
  }
  co_return http::Piece{.bytes = taken_, .last = ended_ && parts_.empty()};
}

}  // namespace lockgate::proxy
