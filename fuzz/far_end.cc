#include "far_end.h"

#include <array>
#include <utility>

namespace lockgate::fuzz {

void FarEnd::hear() {
  std::array<std::byte, 4096> room{};
  while (stream && stream->readable() && !heard_end && !broken) {
    auto arrived = stream->read_some(room);
    broken = !arrived;
    if (!arrived) return;
    heard += as_text(Bytes(room).first(arrived->bytes));
    heard_end = arrived->ended;
    if (arrived->bytes == 0) return;
  }
}

void FarEnd::say() {
  if (!stream || told_end) return;
  while (!waiting.empty() && stream->writable()) {
    auto written = stream->write_some(as_bytes(waiting));
    if (!written) waiting.clear();
    if (!written) return;
    said += waiting.substr(0, *written);
    waiting.erase(0, *written);
    if (*written == 0) return;
  }
  if (!ends || !waiting.empty()) return;
  told_end = true;
  (void)stream->finish(net::Ending::complete);
}

void FarEnd::leave() {
  if (!stream) return;
  stream->abort();
  stream.reset();
}

}  // namespace lockgate::fuzz
