// Any bytes, read as a chunked body, give the same outcome and the same data in whatever pieces they arrive;
// and what was read, written again as chunks, is read again as the same.
#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"
#include "wire/chunked.h"

namespace lockgate::wire {
namespace {

constexpr ChunkLimits kLimits{
    .extensions = 30, .total_extensions = 100, .trailers = 200, .trailer_fields = 5};

/// What came of a body.
struct Read {
  enum class Outcome : std::uint8_t { more, ended, bad_message, too_large } outcome = Outcome::more;
  std::string data;
  std::size_t consumed = 0;
  std::string trailers;
  bool operator==(const Read&) const = default;
};

std::string text_of(const std::vector<HeadField>& fields) {
  std::string text;
  for (const auto& field : fields) {
    CHECK(field.id == FieldName::other || field.id == FieldName::etag);
    text.append(field.name).append(":").append(field.value).append("\r\n");
  }
  return text;
}

/// `pieces(i)` is how many bytes arrive the i-th time.
template <class Pieces>
Read read_body(std::string_view body, Pieces pieces) {
  ChunkedReader reader(kLimits);
  Read read;
  for (std::size_t i = 0, at = 0; at < body.size() && !reader.ended(); ++i) {
    std::size_t size = std::clamp<std::size_t>(pieces(i), 1, body.size() - at);
    std::string arrived(body.substr(at, size));
    Room room(reinterpret_cast<std::byte*>(arrived.data()), arrived.size());
    auto progress = reader.read(room);
    if (!progress) {
      CHECK(!reader.ended() && !reader.read(room));
      bool large = progress.error().code == Errc::too_large;
      return {.outcome = large ? Read::Outcome::too_large : Read::Outcome::bad_message};
    }
    CHECK(progress->data <= progress->consumed && progress->consumed <= size);
    CHECK(progress->consumed == size || reader.ended());
    CHECK(arrived.substr(progress->consumed) == body.substr(at, size).substr(progress->consumed));
    read.data += arrived.substr(0, progress->data);
    read.consumed += progress->consumed;
    at += size;
  }
  if (reader.ended()) read.outcome = Read::Outcome::ended;
  read.trailers = text_of(reader.trailers());
  return read;
}

/// Chunks of sizes that the bytes themselves choose.
std::string written(const Read& read) {
  std::string text;
  for (std::string_view left = read.data; !left.empty();) {
    std::size_t size = std::min<std::size_t>(static_cast<unsigned char>(left.front()) % 40U + 1, left.size());
    text.append(as_text(ChunkHead(size).bytes())).append(left.substr(0, size)).append(kChunkEnd);
    left.remove_prefix(size);
  }
  if (read.trailers.empty()) return text.append(kLastChunk);
  return text.append("0\r\n").append(read.trailers).append(kChunkEnd);
}

void check_body(std::string_view body) {
  auto at_once = [&](std::size_t) { return body.size(); };
  Read whole = read_body(body, at_once);
  for (std::size_t piece : {1U, 2U, 3U, 17U})
    CHECK(read_body(body, [&](std::size_t) { return piece; }) == whole);
  CHECK(read_body(body, [&](std::size_t i) {
          return static_cast<unsigned char>(body[i % body.size()]) % 9U;
        }) == whole);
  if (whole.outcome != Read::Outcome::ended) return;
  std::string again = written(whole);
  Read second = read_body(again + "next", [&](std::size_t) { return again.size() + 4; });
  CHECK(second.outcome == whole.outcome && second.data == whole.data && second.trailers == whole.trailers);
  CHECK(second.consumed == again.size());
}

}  // namespace
}  // namespace lockgate::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  if (size > 0) wire::check_body(as_text(Bytes(reinterpret_cast<const std::byte*>(bytes), size)));
  return 0;
}
