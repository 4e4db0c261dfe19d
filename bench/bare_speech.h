// Bare speech, for proxies that look at connections only: requests of kRequest bytes, each naming the size of
// its answer, and answers of nothing but the pattern. A ClientHello may come first, which is answered with a
// flight.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "client_hello.h"
#include "pattern.h"
#include "speech.h"

namespace lockgate::bench {

class BareAsker : public Asker {
 public:
  explicit BareAsker(bool says_hello) : says_hello_(says_hello) {}

  std::span<const std::uint8_t> open() override;
  std::span<const std::uint8_t> ask(std::uint64_t size) override;
  bool hear(std::span<const std::uint8_t> bytes) override;

 private:
  bool says_hello_;
  std::uint64_t expected_ = 0;  // bytes that are still to come
  std::uint64_t received_ = 0;  // of this flight or answer
  Request request_{};
};

class BareAnswerer : public Answerer {
 public:
  explicit BareAnswerer(bool awaits_hello) : awaits_hello_(awaits_hello) {}

  std::optional<Answer> hear(std::span<const std::uint8_t> bytes) override;

 private:
  std::optional<Answer> hear_hello();

  bool awaits_hello_;
  std::size_t buffered_ = 0;  // bytes of an incomplete hello or request
  std::array<std::uint8_t, 1024> buffer_{};
  static_assert(sizeof(buffer_) > kClientHello.size() && sizeof(buffer_) > kRequest);
};

}  // namespace lockgate::bench
