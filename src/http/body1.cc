#include "http/body1.h"

#include <algorithm>

namespace lockgate::http {

using loop::Task;
using wire::Framing;

namespace {

constexpr const char* kReading = "reading the body";

}  // namespace

void Body1::begin(const Framing& framing) {
  framing_ = framing;
  bytes_ = 0;
  left_ = framing.length;
  chunks_.reset();
  if (framing.body == Framing::Body::chunked) chunks_.emplace();
  ended_ = framing.body == Framing::Body::none || (framing.body == Framing::Body::sized && left_ == 0);
}

const Fields::List& Body1::trailers() const {
  static const Fields::List kNone;
  return chunks_ ? chunks_->trailers() : kNone;
}

Result<std::optional<Piece>> Body1::next(Receiver1& receiver) {
  if (ended_) return Piece{.last = true};
  if (receiver.empty()) return std::optional<Piece>();
  if (framing_.body == Framing::Body::chunked) return next_chunks(receiver);
  Bytes bytes = receiver.view();
  if (framing_.body == Framing::Body::sized) {
    bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_)));
    left_ -= bytes.size();
    ended_ = left_ == 0;
  }
  bytes_ += bytes.size();
  receiver.consume(bytes.size());
  return Piece{.bytes = bytes, .last = ended_};
}

// Data moves to the beginning of what arrived, and stays there when they are consumed.
Result<std::optional<Piece>> Body1::next_chunks(Receiver1& receiver) {
  Room room = receiver.view();
  auto progress = chunks_->read(room);
  if (!progress) return std::unexpected(progress.error());
  receiver.consume(progress->consumed);
  bytes_ += progress->data;
  ended_ = chunks_->ended();
  if (progress->data == 0 && !ended_) return std::optional<Piece>();
  return Piece{.bytes = room.first(progress->data), .last = ended_};
}

Result<Piece> Body1::end(net::Ending ending) {
  if (framing_.body != Framing::Body::until_close || ending == net::Ending::truncated)
    return failure(Errc::closed, kReading);
  ended_ = true;
  return Piece{.last = true};
}

Task<Piece> read_piece(Receiver1& receiver, Body1& body, Instant deadline) {
  for (;;) {
    auto piece = body.next(receiver);
    if (!piece) co_await loop::fail(piece.error());
    receiver.keep();
    if (*piece) co_return **piece;
    auto waiting = receiver.more(deadline, kReading);
    net::Arrived arrived = co_await waiting;
    if (!arrived.ended) continue;
    auto last = body.end(arrived.ending);
    if (!last) co_await loop::fail(last.error());
    co_return *last;
  }
}

}  // namespace lockgate::http
