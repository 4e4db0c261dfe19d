#include "net/stream.h"

namespace lockgate::net {

using loop::Task;

// An error behind bytes that were taken comes again with the next attempt.
Result<std::size_t> Stream::write_parts(std::span<const Bytes> parts) {
  std::size_t gone = 0;
  for (Bytes part : parts) {
    if (part.empty()) continue;
    auto written = write_some(part);
    if (!written && gone == 0) return written;
    if (!written) return gone;
    gone += *written;
    if (*written < part.size()) break;
  }
  return gone;
}

Task<std::size_t> read(Stream& stream, Room room, Instant deadline) {
  for (;;) {
    if (stream.readable()) {
      auto arrived = stream.read_some(room);
      if (!arrived) co_await loop::fail(arrived.error());
      if (arrived->bytes > 0 || arrived->ended) co_return arrived->bytes;
      continue;
    }
    loop::Wait wait(stream.reactor(), stream.reader(), deadline);
    bool woken = co_await wait;
    if (!woken) co_await loop::fail(Errc::timed_out, "reading");
  }
}

Task<void> write(Stream& stream, Bytes bytes, Instant deadline) {
  while (!bytes.empty()) {
    auto written = stream.write_some(bytes);
    if (!written) co_await loop::fail(written.error());
    bytes = bytes.subspan(*written);
    if (bytes.empty() || stream.writable()) continue;
    loop::Wait wait(stream.reactor(), stream.writer(), deadline);
    bool woken = co_await wait;
    if (!woken) co_await loop::fail(Errc::timed_out, "writing");
  }
}

Task<void> finish(Stream& stream, Instant deadline) {
  for (;;) {
    auto told = stream.finish(Ending::complete);
    if (!told) co_await loop::fail(told.error());
    if (*told) co_return;
    if (stream.writable()) continue;
    loop::Wait wait(stream.reactor(), stream.writer(), deadline);
    bool woken = co_await wait;
    if (!woken) co_await loop::fail(Errc::timed_out, "finishing");
  }
}

Task<void> discard(Stream& stream, Room room, std::size_t most, Instant deadline) {
  for (std::size_t total = 0; total < most;) {
    auto reading = read(stream, room, deadline);
    std::size_t size = co_await reading;
    if (size == 0) co_return;
    total += size;
  }
}

}  // namespace lockgate::net
