#include "bare_speech.h"

#include <algorithm>

#include "failure.h"

namespace lockgate::bench {

std::span<const std::uint8_t> BareAsker::open() {
  if (!says_hello_) return {};
  expected_ = kFlight;
  return kClientHello;
}

std::span<const std::uint8_t> BareAsker::ask(std::uint64_t size) {
  expected_ = size;
  received_ = 0;
  request_ = request_for(size);
  return request_;
}

bool BareAsker::hear(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > expected_) fail("client: more bytes than the answer has");
  if (!is_pattern(bytes, received_)) fail("client: a changed answer");
  received_ += bytes.size();
  expected_ -= bytes.size();
  return expected_ == 0;
}

std::optional<Answer> BareAnswerer::hear(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > buffer_.size() - buffered_) fail("origin: more bytes than a request has");
  std::ranges::copy(bytes, buffer_.begin() + static_cast<std::ptrdiff_t>(buffered_));
  buffered_ += bytes.size();
  if (awaits_hello_) return hear_hello();
  if (buffered_ < kRequest) return std::nullopt;
  const std::uint64_t size = answer_to(std::span(buffer_).first(buffered_));
  buffered_ = 0;
  return Answer{.size = size};
}

std::optional<Answer> BareAnswerer::hear_hello() {
  if (buffered_ < kClientHello.size()) return std::nullopt;
  if (!std::equal(kClientHello.begin(), kClientHello.end(), buffer_.begin())) fail("origin: a changed hello");
  if (buffered_ > kClientHello.size()) fail("origin: bytes before the flight");
  awaits_hello_ = false;
  buffered_ = 0;
  return Answer{.size = kFlight};
}

}  // namespace lockgate::bench
