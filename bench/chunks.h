// Chunks: takes the framing off a body in chunks (RFC 9112, 7.1), as the bytes arrive.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace lockgate::bench {

class Chunks {
 public:
  /// The next piece of the body; takes it and the framing before it off `bytes`. Empty if there is none yet.
  std::span<const std::uint8_t> next(std::span<const std::uint8_t>& bytes);
  /// Whether the body is over, with its trailer.
  bool finished() const { return expects_ == Expects::nothing; }

 private:
  enum class Expects : std::uint8_t { size, data, end_of_data, trailer, nothing };

  void take_line(std::string_view line);

  Expects expects_ = Expects::size;
  std::uint64_t left_ = 0;  // of this chunk's data
  std::string line_;        // that has begun
};

}  // namespace lockgate::bench
