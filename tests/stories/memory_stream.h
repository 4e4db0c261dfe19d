// Connections made of memory, for stories without sockets.
//
// Each has a near end, which the program under test holds, and a far end, which the
// test plays. The near ends' bytes come and go in pieces of a chosen size, and the nth
// operation on them can be made to fail or to block for ever. Both ends live on one
// reactor, whose time stands still until the test moves it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "loop/reactor.h"
#include "loop/task.h"
#include "net/connect.h"
#include "net/stream.h"

namespace lockgate::stories {

enum class Operation : std::uint8_t { read, write, finish, connect };

/// Counts the operations of the near ends and makes one of them go wrong.
class Faults {
 public:
  enum class Verdict : std::uint8_t { well, fails, blocks };
  struct Strike {
    Operation operation;
    std::string label;  // of the stream; of a connect, the address
  };

  /// The operation with number `nth`, from 0, fails with `error` and breaks its connection.
  void fail(int nth, const Error& error) { nth_ = nth, error_ = error; }
  /// It never gets anywhere, and neither does any later one of its kind on that stream.
  void block(int nth) { nth_ = nth, error_.reset(); }

  /// Operations so far.
  int counted() const { return counted_; }
  /// What went wrong, once something has.
  const std::optional<Strike>& struck() const { return struck_; }

  /// For streams: an operation is about to happen.
  Verdict next(Operation operation, const std::string& label);
  const Error& error() const { return *error_; }

 private:
  int nth_ = -1, counted_ = 0;
  std::optional<Error> error_;
  std::optional<Strike> struck_;
};

/// How bytes pass through a connection.
struct Manner {
  std::size_t most_read = SIZE_MAX;     // by one read of the near end
  std::size_t most_written = SIZE_MAX;  // by one write of the near end
  std::size_t capacity = 64 * 1024;     // bytes under way each way, until a writer has to wait
};

struct Pair {
  net::AnyStream near, far;
};

/// Two connected streams. `faults` and `manner` concern the near end, which they know by `label`; `live`
/// counts both ends for as long as they exist.
Pair memory_pair(loop::Reactor& reactor, Faults& faults, const Manner& manner, const std::string& label,
                 const std::shared_ptr<int>& live);

/// A network of addresses behind which a test listens. Addresses are tried in order; one that nobody knows
/// refuses.
class MemoryNetwork final : public net::Connector {
 public:
  /// Is handed the far end of each connection.
  using Serve = std::function<void(net::AnyStream)>;

  explicit MemoryNetwork(loop::Reactor& reactor, Manner manner = {}) : reactor_(reactor), manner_(manner) {}

  void listen(const SocketAddress& at, Serve serve) { servers_[at] = std::move(serve); }
  /// Connecting to it never ends.
  void black_hole(const SocketAddress& at) { black_holes_.insert(at); }

  /// A connection from outside, as a listener would accept it.
  Pair pair(const std::string& label) { return memory_pair(reactor_, faults_, manner_, label, live_); }
  /// The near end is labelled with its address.
  loop::Task<net::Connected> connect(std::span<const SocketAddress> addresses, net::SocketOptions options,
                                     Instant deadline) override;

  Faults& faults() { return faults_; }
  /// Ends of connections that exist.
  int live() const { return *live_; }

 private:
  loop::Reactor& reactor_;
  Manner manner_;
  Faults faults_;
  std::map<SocketAddress, Serve> servers_;
  std::set<SocketAddress> black_holes_;
  std::shared_ptr<int> live_ = std::make_shared<int>(0);
};

/// What a far end has heard: text, and how it stopped.
struct Heard {
  std::string text;
  bool ended = false;
  std::optional<Error> error;
};

/// Reads until the end or an error.
loop::Task<void> hear(net::Stream& stream, Heard& heard);
/// Writes `text`, and then the end if `finish`. An error ends it silently: the listening side tells.
loop::Task<void> say(net::Stream& stream, std::string text, bool finish);

/// Turns the reactor, `step` of time passing with each turn, until `done` or `most` turns are over. True if
/// done.
bool turn_until(loop::Reactor& reactor, ManualClock& clock, const std::function<bool()>& done,
                int most = 10'000, Duration step = {});

}  // namespace lockgate::stories
