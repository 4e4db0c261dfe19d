#include "http/send1.h"

#include <algorithm>
#include <array>

#include "loop/wait.h"
#include "wire/chunked.h"

namespace lockgate::http {

using loop::Task;

namespace {

constexpr const char* kWriting = "writing the message";
// A message of so many bytes is written as one: copying it costs less than a second call, or a second TLS
// record.
constexpr std::size_t kJoined = 16 * 1024;

}  // namespace

void Sender1::begin(BodyForm form, std::uint64_t length) {
  form_ = form;
  left_ = length;
  ended_ = form == BodyForm::none || (form == BodyForm::sized && length == 0);
}

// The body is what its head has promised, or the connection is broken off: whoever reads on would take the
// rest for another message.
bool Sender1::count(const Piece& piece) {
  bytes_ += piece.bytes.size();
  if (form_ == BodyForm::sized) {
    if (piece.bytes.size() > left_) return false;
    left_ -= piece.bytes.size();
    if (piece.last && left_ > 0) return false;
  }
  ended_ = ended_ || piece.last || (form_ == BodyForm::sized && left_ == 0);
  return true;
}

// Appends what goes before the bytes of a piece, and tells what goes behind them.
std::string_view Sender1::frame(const Piece& piece, std::string& before) {
  if (form_ != BodyForm::chunked) return "";
  if (!piece.bytes.empty()) before.append(as_text(wire::ChunkHead(piece.bytes.size()).bytes()));
  if (!piece.last) return piece.bytes.empty() ? std::string_view() : wire::kChunkEnd;
  if (!piece.bytes.empty()) last_chunk_.insert(0, wire::kChunkEnd);
  return last_chunk_;
}

Result<bool> Sender1::send(std::string& head, Piece first) {
  if (form_ == BodyForm::none) first = {.bytes = {}, .last = true};
  return put(head, first);
}

Result<bool> Sender1::write(Piece piece) {
  if (ended_) return true;
  desk_.out.clear();
  return put(desk_.out, piece);
}

Result<bool> Sender1::put(std::string& before, Piece piece) {
  if (!count(piece)) return failure(Errc::bad_message, kWriting);
  std::string_view behind = frame(piece, before);
  std::size_t size = before.size() + piece.bytes.size() + behind.size();
  if (size == 0) return true;
  if (!rest_.empty()) {
    rest_.append(before).append(as_text(piece.bytes)).append(behind);
  } else {
    std::array<Bytes, 3> parts{as_bytes(before), piece.bytes, as_bytes(behind)};
    if (size <= kJoined) {
      before.append(as_text(piece.bytes)).append(behind);
      parts = {as_bytes(before)};
    }
    auto written = stream_.write_parts(parts);
    if (!written) return std::unexpected(written.error().retry());
    if (*written < size) keep(parts, *written);
  }
  if (piece.last) last_chunk_ = wire::kLastChunk;  // of the next message
  return rest_.empty();
}

// All of `parts` but the first `gone` bytes.
void Sender1::keep(std::span<const Bytes> parts, std::size_t gone) {
  for (Bytes part : parts) {
    std::size_t skipped = std::min(part.size(), gone);
    rest_.append(as_text(part.subspan(skipped)));
    gone -= skipped;
  }
}

// Two may wait here, an interim answer and what comes behind it; whoever is woken writes for both.
Task<void> Sender1::drain(Duration patience) {
  while (!rest_.empty()) {
    if (!stream_.writable()) {
      Instant deadline = patience > Duration::zero() ? stream_.reactor().now() + patience : kNever;
      loop::Wait wait(stream_.reactor(), stream_.writer(), deadline);
      bool woken = co_await wait;
      if (!woken && !rest_.empty()) co_await loop::fail(Errc::timed_out, kWriting);
      continue;
    }
    auto written = stream_.write_some(as_bytes(rest_).subspan(gone_));
    if (!written) co_await loop::fail(written.error());
    gone_ += *written;
    if (gone_ < rest_.size()) continue;
    release(rest_);
    gone_ = 0;
    stream_.writer().wake_all();
  }
}

}  // namespace lockgate::http
