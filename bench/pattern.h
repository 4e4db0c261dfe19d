// Pattern: what requests and answers consist of, so that every byte of them can be checked.
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace lockgate::bench {

constexpr std::size_t kFlight = 2048;  // about a server's first flight with an ECDSA certificate
constexpr std::size_t kRequest = 128;  // the answer's size in its first 8 bytes, then the pattern

/// As much of the pattern from `position` on as can be had in one piece.
std::span<const std::uint8_t> pattern_from(std::uint64_t position);
/// Whether these bytes are the pattern from `position` on.
bool is_pattern(std::span<const std::uint8_t> bytes, std::uint64_t position);

using Request = std::array<std::uint8_t, kRequest>;
Request request_for(std::uint64_t answer);
/// The size of the answer that a request asks for; ends the program if a byte of it is wrong.
std::uint64_t answer_to(std::span<const std::uint8_t> request);

}  // namespace lockgate::bench
