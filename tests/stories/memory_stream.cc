#include "stories/memory_stream.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "base/check.h"
#include "loop/wait.h"

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

// What the two ends share. A lane and a place among the ends have the number of the end that writes to the
// lane.
struct Connection {
  std::array<Lane, 2> lanes;
  std::array<MemoryStream*, 2> ends{};
};

struct Outfit {
  Faults* faults = nullptr;  // none: all goes well
  Manner manner;
  std::string label;
  std::shared_ptr<int> live;
};

class MemoryStream final : public net::Stream, private loop::Runnable {
 public:
  MemoryStream(loop::Reactor& reactor, std::shared_ptr<Connection> connection, std::size_t number,
               Outfit outfit)
      : Stream(reactor), connection_(std::move(connection)), number_(number), outfit_(std::move(outfit)) {
    connection_->ends[number_] = this;
    writable_ = true;
    ++*outfit_.live;
  }
  ~MemoryStream() override {
    --*outfit_.live;
    connection_->ends[number_] = nullptr;
    (aborted_ ? out().reset : out().ended) = true;
    tell_peer();
  }

  Result<net::Arrived> read_some(Room room) override {
    if (stuck(Operation::read)) {
      readable_ = false;
      return net::Arrived{};
    }
    if (failed_) return std::unexpected(*failed_);
    auto& bytes = in().bytes;
    std::size_t size = std::min({room.size(), bytes.size(), outfit_.manner.most_read});
    auto end = bytes.begin() + static_cast<std::ptrdiff_t>(size);
    std::copy(bytes.begin(), end, room.begin());
    bytes.erase(bytes.begin(), end);
    readable_ = !bytes.empty() || (size > 0 && (in().ended || in().reset));
    if (size > 0) {
      tell_peer();
      return net::Arrived{.bytes = size};
    }
    if (in().reset) return broke("reading");
    return net::Arrived{.ended = in().ended};
  }

  Result<std::size_t> write_some(Bytes bytes) override {
    CHECK(!finished_);
    if (stuck(Operation::write)) {
      writable_ = false;
      return 0;
    }
    if (failed_) return std::unexpected(*failed_);
    if (!peer() || in().reset) return broke("writing");
    std::size_t size = std::min({bytes.size(), outfit_.manner.most_written, space()});
    out().bytes.insert(out().bytes.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    writable_ = size == bytes.size();
    if (!writable_ && space() > 0)
      reactor().enqueue(*this);  // a short write, but there is room: a later edge
    tell_peer();
    return size;
  }

  Result<bool> finish(net::Ending) override {
    if (stuck(Operation::finish)) return true;  // and the peer never hears of it
    if (failed_) return std::unexpected(*failed_);
    if (in().reset) return broke("finishing");
    finished_ = true;
    out().ended = true;
    tell_peer();
    return true;
  }

  void abort() override { aborted_ = true; }

 private:
  Lane& in() { return connection_->lanes[1 - number_]; }
  Lane& out() { return connection_->lanes[number_]; }
  MemoryStream* peer() { return connection_->ends[1 - number_]; }
  std::size_t space() {
    return outfit_.manner.capacity - std::min(outfit_.manner.capacity, out().bytes.size());
  }

  // The facts, after anything has happened to the connection.
  void look() {
    bool blocked_in = blocked_[static_cast<std::size_t>(Operation::read)];
    bool blocked_out = blocked_[static_cast<std::size_t>(Operation::write)];
    broken_ |= in().reset;
    readable_ |= !blocked_in && (!in().bytes.empty() || in().ended || in().reset);
    writable_ |= !blocked_out && (space() > 0 || !peer() || in().reset);
    tell();
  }
  void tell_peer() {
    if (peer()) peer()->look();
  }
  void run() override { look(); }

  // Counts an operation, lets it break the connection, and says whether it gets nowhere.
  bool stuck(Operation operation) {
    bool& blocked = blocked_[static_cast<std::size_t>(operation)];
    if (blocked || failed_ || !outfit_.faults) return blocked;
    switch (outfit_.faults->next(operation, outfit_.label)) {
      case Faults::Verdict::well:
        break;
      case Faults::Verdict::blocks:
        blocked = true;
        break;
      case Faults::Verdict::fails:
        failed_ = outfit_.faults->error();
        broken_ = true;
        out().reset = true;
        tell_peer();
    }
    return blocked;
  }
  // What the peer said before it left can still be read.
  std::unexpected<Error> broke(const char* doing) {
    broken_ = true;
    Error error{.code = Errc::reset, .doing = doing};
    if (!in().ended) failed_ = error;
    return std::unexpected(error);
  }

  std::shared_ptr<Connection> connection_;
  std::size_t number_;
  Outfit outfit_;
  std::array<bool, 3> blocked_{};  // by Operation
  std::optional<Error> failed_;
  bool finished_ = false, aborted_ = false;
};

}  // namespace

Faults::Verdict Faults::next(Operation operation, const std::string& label) {
  if (counted_++ != nth_) return Verdict::well;
  struck_ = Strike{operation, label};
  return error_ ? Verdict::fails : Verdict::blocks;
}

Pair memory_pair(loop::Reactor& reactor, Faults& faults, const Manner& manner, const std::string& label,
                 const std::shared_ptr<int>& live) {
  auto connection = std::make_shared<Connection>();
  Outfit near{.faults = &faults, .manner = manner, .label = label, .live = live};
  Outfit far{.manner = {.capacity = manner.capacity}, .live = live};
  return {.near = std::make_unique<MemoryStream>(reactor, connection, 0, near),
          .far = std::make_unique<MemoryStream>(reactor, connection, 1, far)};
}

Task<net::Connected> MemoryNetwork::connect(std::span<const SocketAddress> addresses, net::SocketOptions,
                                            Instant deadline) {
  Error last{.code = Errc::refused, .doing = "connecting"};
  for (const SocketAddress& address : addresses) {
    loop::NextTurn turn(reactor_);
    co_await turn;
    auto verdict = faults_.next(Operation::connect, address.text());
    if (verdict == Faults::Verdict::blocks || black_holes_.contains(address)) {
      loop::WaitSlot never;
      loop::Wait wait(reactor_, never, deadline);
      co_await wait;
      co_await loop::fail(Errc::timed_out, "connecting");
    }
    auto server = servers_.find(address);
    bool refused = server == servers_.end();
    if (refused) last.code = Errc::refused;
    if (verdict == Faults::Verdict::fails) last = faults_.error();
    if (refused || verdict == Faults::Verdict::fails) continue;
    auto [near, far] = pair(address.text());
    server->second(std::move(far));
    co_return net::Connected{std::move(near), address};
  }
  co_await loop::fail(last);
  std::unreachable();
}

Task<void> hear(net::Stream& stream, Heard& heard) {
  std::vector<std::byte> room(16 * 1024);
  for (;;) {
    auto reading = net::read(stream, room, kNever);
    auto attempt = loop::attempt(std::move(reading));
    auto size = co_await attempt;
    if (!size) heard.error = size.error();
    heard.ended = size && *size == 0;
    if (!size || *size == 0) co_return;
    heard.text += as_text(Bytes(room).first(*size));
  }
}

Task<void> say(net::Stream& stream, std::string text, bool finish) {
  auto writing = net::write(stream, as_bytes(text), kNever);
  auto attempt = loop::attempt(std::move(writing));
  auto written = co_await attempt;
  if (!written || !finish) co_return;
  auto finishing = net::finish(stream, kNever);
  co_await loop::attempt(std::move(finishing));  // whose failure the listening side sees
}

bool turn_until(loop::Reactor& reactor, ManualClock& clock, const std::function<bool()>& done, int most,
                Duration step) {
  for (int turns = 0; turns < most; ++turns) {
    if (done()) return true;
    clock.advance(step);
    reactor.turn(Duration::zero());
  }
  return done();
}

}  // namespace lockgate::stories
