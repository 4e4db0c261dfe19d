#include "websocket.h"

#include <algorithm>
#include <array>

#include "failure.h"
#include "http_speech.h"

namespace lockgate::bench {
namespace {

constexpr std::uint8_t kBinary = 0x82;  // a whole message of bytes (RFC 6455, 5.2)
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kShortest = 2;  // what precedes a payload that is not masked
constexpr std::size_t kLongest = 125;
constexpr std::array<std::uint8_t, 4> kMask = {0x37, 0xfa, 0x21, 0x3d};

}  // namespace

WebSocketAsker::WebSocketAsker(std::string_view path)
    : request_(browser_request(std::string(path) + "/",
                               "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: " +
                                   std::string(kWebSocketKey) + "\r\n")) {}

std::span<const std::uint8_t> WebSocketAsker::open() {
  return {reinterpret_cast<const std::uint8_t*>(request_.data()), request_.size()};
}

std::span<const std::uint8_t> WebSocketAsker::ask(std::uint64_t size) {
  if (size > kLongest) fail("client: a message for a longer frame", std::to_string(size));
  const auto payload = pattern_from(0).first(size);
  received_ = 0;
  if (expected_.size() == kShortest + size) return frame_;
  expected_.assign({kBinary, static_cast<std::uint8_t>(size)});
  expected_.insert(expected_.end(), payload.begin(), payload.end());
  frame_.assign({kBinary, static_cast<std::uint8_t>(kMasked | size)});
  frame_.insert(frame_.end(), kMask.begin(), kMask.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame_.push_back(static_cast<std::uint8_t>(payload[i] ^ kMask[i % kMask.size()]));
  }
  return frame_;
}

bool WebSocketAsker::hear(std::span<const std::uint8_t> bytes) {
  if (!upgraded_) {
    const auto read = heads_.take(bytes);
    if (!read) return false;
    read_head(read->head);
    if (!read->rest.empty()) fail("client: a frame that nobody asked for");
    upgraded_ = true;
    return true;
  }
  if (bytes.size() > expected_.size() - received_) fail("client: more bytes than the frame has");
  if (!std::ranges::equal(bytes, std::span(expected_).subspan(received_, bytes.size()))) {
    fail("client: a changed frame");
  }
  received_ += bytes.size();
  return received_ == expected_.size();
}

void WebSocketAsker::read_head(std::string_view head) {
  if (!head.starts_with("HTTP/1.1 101 ")) fail("client: no upgrade", first_line(head));
  bool accepted = false;
  for_each_field(head, [&](std::string_view name, std::string_view value) {
    if (is_name(name, "sec-websocket-accept")) accepted = value == kWebSocketAccept;
  });
  if (!accepted) fail("client: an upgrade without the accept of its key");
}

std::optional<Answer> WebSocketEcho::hear(std::span<const std::uint8_t> bytes) {
  begun_.insert(begun_.end(), bytes.begin(), bytes.end());
  if (begun_.size() < kShortest + kMask.size()) return std::nullopt;
  const std::size_t size = begun_[1] ^ kMasked;
  if (begun_[0] != kBinary || size > kLongest) fail("origin: another frame");
  const auto payload = std::span(begun_).subspan(kShortest + kMask.size());
  if (payload.size() < size) return std::nullopt;
  if (payload.size() > size) fail("origin: bytes behind a frame");
  answer_.assign({kBinary, static_cast<std::uint8_t>(size)});
  for (std::size_t i = 0; i < size; ++i) {
    answer_.push_back(static_cast<std::uint8_t>(payload[i] ^ begun_[kShortest + i % kMask.size()]));
  }
  begun_.clear();
  return Answer{.first = answer_};
}

}  // namespace lockgate::bench
