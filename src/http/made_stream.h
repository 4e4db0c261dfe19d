// For tests: a stream that brings what the test says, in pieces of any size, and keeps
// what is written to it.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "net/stream.h"

namespace lockgate::http {

class MadeStream final : public net::Stream {
 public:
  explicit MadeStream(loop::Reactor& reactor) : Stream(reactor) { writable_ = true; }

  /// The peer says this.
  void come(std::string_view text) {
    in_ += text;
    readable_ = true;
    tell();
  }
  void come_to_end(net::Ending ending = net::Ending::complete) {
    ended_ = true;
    ending_ = ending;
    readable_ = true;
    tell();
  }
  void break_off() {
    broken_ = readable_ = writable_ = true;
    tell();
  }
  /// The peer takes so many bytes more, and then no others.
  void take(std::size_t bytes) {
    room_ = bytes;
    writable_ = bytes > 0;
    tell();
  }

  Result<net::Arrived> read_some(Room room) override {
    if (broken_) return failure(Errc::reset, "reading");
    std::size_t size = std::min({room.size(), in_.size(), most});
    std::ranges::copy(as_bytes(std::string_view(in_).substr(0, size)), room.begin());
    in_.erase(0, size);
    readable_ = !in_.empty() || (size > 0 && ended_);
    if (size > 0) return net::Arrived{.bytes = size};
    return net::Arrived{.ended = ended_, .ending = ending_};
  }
  Result<std::size_t> write_some(Bytes bytes) override {
    if (broken_) return failure(Errc::reset, "writing");
    std::size_t size = std::min(bytes.size(), room_);
    out += as_text(bytes.first(size));
    room_ -= size;
    writable_ = size == bytes.size();
    return size;
  }
  Result<bool> finish(net::Ending) override {
    finished = true;
    return true;
  }
  void abort() override { aborted = true; }

  std::string out;              // what was written
  std::size_t most = SIZE_MAX;  // by one read
  bool finished = false, aborted = false;

 private:
  std::string in_;
  std::size_t room_ = SIZE_MAX;
  bool ended_ = false;
  net::Ending ending_ = net::Ending::complete;
};

}  // namespace lockgate::http
