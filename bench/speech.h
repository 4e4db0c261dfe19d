// Speech: what is said over the connections of the load generator, by turns: an Asker is a client's side of
// one connection, an Answerer an origin's. They only take and give bytes, and know of neither sockets nor
// TLS. What nobody should have said ends the program.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "pattern.h"

namespace lockgate::bench {

class Asker {
 public:
  virtual ~Asker() = default;
  /// What is said, and answered, before anything is asked for; empty if nothing is.
  virtual std::span<const std::uint8_t> open() { return {}; }
  /// What asks for an answer of so many bytes; valid until the next call.
  virtual std::span<const std::uint8_t> ask(std::uint64_t size) = 0;
  /// Takes what arrived; whether the answer is complete now.
  virtual bool hear(std::span<const std::uint8_t> bytes) = 0;
};

/// What an origin has to say yet: some bytes, and then the pattern from a place on.
struct Answer {
  std::span<const std::uint8_t> first{};
  std::uint64_t from = 0;
  std::uint64_t size = 0;  // of the pattern

  /// As much of it as can be said in one piece; empty at the end.
  std::span<const std::uint8_t> next() const {
    if (!first.empty()) return first;
    const auto bytes = pattern_from(from);
    return bytes.first(std::min<std::uint64_t>(bytes.size(), size));
  }
  void drop(std::size_t said) {
    if (!first.empty()) {
      first = first.subspan(said);
    } else {
      from += said;
      size -= said;
    }
  }
};

class Answerer {
 public:
  virtual ~Answerer() = default;
  /// Takes what arrived; the answer, once a request is complete. Its bytes are valid until the next call.
  virtual std::optional<Answer> hear(std::span<const std::uint8_t> bytes) = 0;
};

}  // namespace lockgate::bench
