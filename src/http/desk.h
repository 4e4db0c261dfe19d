// Desk: what all conversations of one worker share: memory that is used again and again.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "http/exchange.h"
#include "net/buffers.h"
#include "wire/http_head.h"

namespace lockgate::http {

class Desk {
 public:
  explicit Desk(net::Buffers& shared) : buffers(shared) {}

  /// Empty memory for an exchange.
  std::unique_ptr<Memory> take_memory() {
    if (memories_.empty()) return std::make_unique<Memory>();
    auto memory = std::move(memories_.back());
    memories_.pop_back();
    return memory;
  }
  void give_memory(std::unique_ptr<Memory> memory) {
    constexpr std::size_t kMost = 256;
    if (memories_.size() >= kMost) return;
    memory->clear();
    memories_.push_back(std::move(memory));
  }

  net::Buffers& buffers;
  // Filled and emptied between two waits.
  wire::RequestHead request_head;
  wire::ResponseHead response_head;
  std::string out;

 private:
  std::vector<std::unique_ptr<Memory>> memories_;
};

}  // namespace lockgate::http
