#include "stories/memory_stream.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "base/check.h"

namespace lockgate::stories {

using loop::Task;

namespace {

class MemoryStream;

// One direction of a connection.
struct Lane {
  std::deque<std::byte> bytes;
  bool ended = false;
  bool reset = false;
};

// What the two ends share. A lane belongs to the end that writes to it.
struct Connection {
  std::array<Lane, 2> lanes;
  std::array<MemoryStream*, 2> ends{};
};

class MemoryStream final : public net::Stream, private loop::Runnable {
 public:
  struct Outfit {
    Faults* faults = nullptr;  // none: all goes well
    Manner manner;
    std::string label;
    std::shared_ptr<int> live;
  };

  MemoryStream(loop::Reactor& reactor, std::shared_ptr<Connection> connection, std::size_t which, Outfit outfit)
      : Stream(reactor), connection_(std::move(connection)), which_(which), outfit_(std::move(outfit)) {
    connection_->ends[which_] = this;
    writable_ = true;
    ++*outfit_.live;
  }
  ~MemoryStream() override {
    --*outfit_.live;
    connection_->ends[which_] = nullptr;
    if (aborted_) {
      out().reset = true;
    } else {
      out().ended = true;
    }
    tell_peer();
  }

  Result<net::Arrived> read_some(Room room) override {
    if (!passes(Operation::read, read_blocked_)) return fault(readable_).transform_value(net::Arrived{});
    std::size_t size = std::min({room.size(), in().bytes.size(), outfit_.manner.most_read});
    std::copy_n(in().bytes.begin(), size, room.begin());
    in().bytes.erase(in().bytes.begin(), in().bytes.begin() + static_cast<std::ptrdiff_t>(size));
    tell_peer();
    if (size > 0) {
      readable_ = !in().bytes.empty() || in().ended || in().reset;
      return net::Arrived{.bytes = size};
    }
    readable_ = false;
    if (in().reset) return broke({.code = Errc::reset, .doing = "reading"});
    return net::Arrived{.ended = in().ended};
  }
