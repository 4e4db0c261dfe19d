// HTTP speech: HTTP/1.1 as a browser and a server of files speak it, over connections that stay. A request
// for PATH/SIZE is answered with SIZE bytes of the pattern. Each side checks that the other's fields have
// come through unchanged, and the origin that it is told who the client is.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chunks.h"
#include "http_head.h"
#include "speech.h"

namespace lockgate::bench {

/// A request as a browser sends it, with these lines more.
std::string browser_request(std::string_view target, std::string_view more = "");

class HttpAsker : public Asker {
 public:
  /// `path`: what precedes the size; empty, or a path without its last slash.
  explicit HttpAsker(std::string path) : path_(std::move(path)) {}

  std::span<const std::uint8_t> ask(std::uint64_t size) override;
  bool hear(std::span<const std::uint8_t> bytes) override;

 private:
  void read_head(std::string_view head);
  void take_body(std::span<const std::uint8_t> bytes);

  std::string path_;
  std::string request_;
  std::uint64_t size_ = 0;      // of the answer to request_
  std::uint64_t received_ = 0;  // of its body
  bool in_body_ = false;
  HeadReader heads_;
  std::optional<Chunks> chunks_;  // if the answer comes so
};

class HttpAnswerer : public Answerer {
 public:
  std::optional<Answer> hear(std::span<const std::uint8_t> bytes) override;

 private:
  HeadReader heads_;
  std::unique_ptr<Answerer> upgraded_;  // what is spoken instead from now on
};

}  // namespace lockgate::bench
