// The chunked coding of HTTP/1 (RFC 9112, 7.1), both ways.
//
// Reading is a pull parser over what has arrived: it moves the data of all chunks
// together, in place, so that one read of the socket is one piece of data however many
// chunks it brought. Strict: what two readers could understand differently is refused.
// Any thread; bounded: nothing is kept but a few numbers and the trailer section.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/http_head.h"

namespace lockgate::wire {

struct ChunkLimits {
  std::size_t extensions = 256;              // bytes of the extensions of one chunk
  std::size_t total_extensions = 16 * 1024;  // of all chunks of one body
  std::size_t trailers = 8 * 1024;           // bytes of the trailer section
  std::size_t trailer_fields = 32;
};

class ChunkedReader {
 public:
  explicit ChunkedReader(const ChunkLimits& limits = {}) : limits_(limits) {}
  // The trailers look into this reader's memory, which moves along with it but is not copied.
  ChunkedReader(ChunkedReader&&) = default;
  ChunkedReader& operator=(ChunkedReader&&) = default;

  struct Progress {
    std::size_t data = 0;      // bytes of data, which now stand at the beginning of `arrived`
    std::size_t consumed = 0;  // bytes of `arrived` that belong to this body
  };
  /// Reads on. `arrived` continues what the last call was given; bytes behind `consumed` are there only when
  /// the body has ended, and stay where they are. bad_message for what breaks the grammar: a size that is no
  /// hexadecimal number or has more than 16 digits, white space before a size or a line's end, lines that do
  /// not end with CR LF, extensions that are none or have control characters, data that is not followed by CR
  /// LF, trailers that are no fields. too_large above the limits. An error stays: every later call gives it.
  /// It has no HTTP status, since only the caller knows whose body this is.
  ///
  /// What comes of it does not depend on the pieces in which the body arrives. What was in `arrived` together
  /// with an error is lost.
  Result<Progress> read(Room arrived);

  bool ended() const { return state_ == State::ended; }
  /// The trailer section, once ended: its fields, which look into this reader. Framing, routing, connection
  /// and authentication fields, and those that say what to do with the body, may not stand there (RFC 9110,
  /// 6.5.1) and are left out.
  const std::vector<HeadField>& trailers() const { return trailers_; }

 private:
  enum class State : std::uint8_t {
    size,
    gap,  // behind a size or an extension, before the ';' of the next
    name_begin,
    name,
    name_gap,
    value_begin,
    value,
    quoted,
    escaped,
    unquoted,
    line_feed,  // of the line with the size
    data,
    data_cr,
    data_lf,
    trailer,
    trailer_lf,  // of the empty line
    ended,
  };

  void take_data(Room arrived, Progress& progress);
  std::optional<Errc> take_byte(char c);
  std::optional<Errc> take_size_line(char c);
  std::optional<State> after(char c) const;
  std::optional<Errc> take_trailer(std::string_view arrived, Progress& progress);
  std::optional<Errc> keep_trailer(std::string_view line);

  ChunkLimits limits_;
  State state_ = State::size;
  std::uint64_t left_ = 0;  // of the chunk
  unsigned digits_ = 0;
  std::size_t extension_ = 0, extensions_ = 0;  // bytes, of this chunk and of all
  std::vector<char> trailer_text_;              // never longer than it was made to be
  std::size_t trailer_line_ = 0;                // where its last line begins
  std::size_t trailer_count_ = 0;
  std::vector<HeadField> trailers_;
  std::optional<Error> failed_;
};

/// What goes before a chunk's data: its size and CR LF. No size may be 0, for that would end the body.
struct ChunkHead {
  explicit ChunkHead(std::size_t chunk);
  Bytes bytes() const { return as_bytes(std::string_view(text, size)); }
  char text[18];
  std::size_t size = 0;
};
/// What goes after a chunk's data, and what ends a body without trailers.
inline constexpr std::string_view kChunkEnd = "\r\n", kLastChunk = "0\r\n\r\n";

}  // namespace lockgate::wire
