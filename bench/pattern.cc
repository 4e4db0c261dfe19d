#include "pattern.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "failure.h"

namespace lockgate::bench {
namespace {

constexpr std::size_t kPeriod = 64UL * 1024;   // the pattern repeats after so many bytes
constexpr std::size_t kPattern = 8 * kPeriod;  // and is kept so long, so that one send is large

const std::vector<std::uint8_t>& pattern() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> made(kPattern);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < kPattern; ++i) {
      state = state * 1664525 + 1013904223;
      made[i] = i < kPeriod ? static_cast<std::uint8_t>(state >> 24) : made[i - kPeriod];
    }
    return made;
  }();
  return bytes;
}

}  // namespace

std::span<const std::uint8_t> pattern_from(std::uint64_t position) {
  return std::span(pattern()).subspan(position % kPeriod);
}

bool is_pattern(std::span<const std::uint8_t> bytes, std::uint64_t position) {
  while (!bytes.empty()) {
    const auto wanted = pattern_from(position);
    const std::size_t size = std::min(bytes.size(), wanted.size());
    if (std::memcmp(bytes.data(), wanted.data(), size) != 0) return false;
    bytes = bytes.subspan(size);
    position += size;
  }
  return true;
}

Request request_for(std::uint64_t answer) {
  Request request;
  std::copy_n(pattern().begin(), kRequest, request.begin());
  std::memcpy(request.data(), &answer, sizeof answer);
  return request;
}

std::uint64_t answer_to(std::span<const std::uint8_t> request) {
  std::uint64_t size = 0;
  if (request.size() != kRequest || !is_pattern(request.subspan(sizeof size), sizeof size)) {
    fail("origin: a changed request");
  }
  std::memcpy(&size, request.data(), sizeof size);
  return size;
}

}  // namespace lockgate::bench
