// WebSocket: the upgrade of an HTTP connection, and then messages in one frame each, which the origin sends
// back (RFC 6455). Key and accept are the example of its section 1.3, so neither side has to hash.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http_head.h"
#include "speech.h"

namespace lockgate::bench {

inline constexpr std::string_view kWebSocketKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kWebSocketAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
inline constexpr std::string_view kWebSocketAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static_assert(kWebSocketAnswer.contains(kWebSocketAccept));

/// Asks for answers by sending as many bytes, 125 at most.
class WebSocketAsker : public Asker {
 public:
  /// `path`: as of HttpAsker.
  explicit WebSocketAsker(std::string_view path);

  std::span<const std::uint8_t> open() override;
  std::span<const std::uint8_t> ask(std::uint64_t size) override;
  bool hear(std::span<const std::uint8_t> bytes) override;

 private:
  void read_head(std::string_view head);

  std::string request_;
  HeadReader heads_;
  bool upgraded_ = false;
  std::vector<std::uint8_t> frame_;     // masked, as clients send them
  std::vector<std::uint8_t> expected_;  // the same as it comes back
  std::size_t received_ = 0;            // of expected_
};

/// The origin's side behind the upgrade.
class WebSocketEcho : public Answerer {
 public:
  std::optional<Answer> hear(std::span<const std::uint8_t> bytes) override;

 private:
  std::vector<std::uint8_t> begun_;  // of a frame
  std::vector<std::uint8_t> answer_;
};

}  // namespace lockgate::bench
