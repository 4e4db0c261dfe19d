#include "net/connect.h"

#include <algorithm>

#include "net/tcp.h"

namespace lockgate::net {

using loop::Task;

namespace {

constexpr Duration kHeadStart = std::chrono::milliseconds(250);  // RFC 8305, 5
constexpr const char* kDoing = "connecting";

// The attempts under way. Each tells its change by waking the one task that looks at them all.
class Attempts final : private StreamOwner {
 public:
  explicit Attempts(loop::Reactor& reactor) : reactor_(reactor) {}

  // False if it failed at once.
  bool add(const SocketAddress& to, const SocketOptions& options) {
    auto stream = TcpStream::connect(reactor_, to, options);
    if (!stream) {
      last_error_ = stream.error();
      return false;
    }
    (*stream)->set_owner(this);
    under_way_.push_back({std::move(*stream), to});
    return true;
  }

  // The first attempt that has connected; those that failed are dropped.
  std::optional<Connected> settle() {
    for (auto attempt = under_way_.begin(); attempt != under_way_.end();) {
      if (!attempt->stream->writable()) {
        ++attempt;
        continue;
      }
      auto outcome = attempt->stream->connected();
      if (outcome && met_itself(attempt->stream->plain_descriptor(), attempt->address)) {
        outcome = failure(Errc::refused, kDoing);
      }
      if (outcome) {
        attempt->stream->set_owner(nullptr);
        return Connected{std::move(attempt->stream), attempt->address};
      }
      last_error_ = outcome.error();
      attempt = under_way_.erase(attempt);
    }
    return {};
  }

  std::size_t count() const { return under_way_.size(); }
  const Error& last_error() const { return last_error_; }
  loop::WaitSlot& changed() { return changed_; }

 private:
  struct One {
    std::unique_ptr<TcpStream> stream;
    SocketAddress address;
  };
  void stream_changed() override { changed_.wake(); }

  loop::Reactor& reactor_;
  std::vector<One> under_way_;
  Error last_error_{.code = Errc::timed_out, .doing = kDoing};
  loop::WaitSlot changed_;
};

}  // namespace

std::vector<SocketAddress> interleaved(std::span<const SocketAddress> addresses) {
  std::vector<SocketAddress> first, second, result;
  for (const auto& address : addresses) {
    bool same = address.family() == addresses.front().family();
    (same ? first : second).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) result.push_back(first[i]);
    if (i < second.size()) result.push_back(second[i]);
  }
  return result;
}

Task<Connected> SystemConnector::connect(std::span<const SocketAddress> addresses, SocketOptions options,
                                         Instant deadline) {
  Attempts attempts(reactor_);
  for (std::size_t next = 0; next < addresses.size() || attempts.count() > 0;) {
    Instant until = deadline;
    if (next < addresses.size()) {
      if (!attempts.add(addresses[next++], options)) continue;
      if (next < addresses.size()) until = std::min(deadline, reactor_.now() + kHeadStart);
    }
    for (std::size_t count = attempts.count(); attempts.count() == count;) {
      loop::Wait wait(reactor_, attempts.changed(), until);
      bool woken = co_await wait;
      auto winner = attempts.settle();
      if (winner) co_return std::move(*winner);
      if (!woken) break;
    }
    if (reactor_.now() >= deadline) co_await loop::fail(Errc::timed_out, kDoing);
  }
  co_await loop::fail(attempts.last_error());
  std::unreachable();
}

}  // namespace lockgate::net
