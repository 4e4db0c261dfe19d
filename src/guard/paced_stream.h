// PacedStream: a stream that goes no faster than its limits of bandwidth allow.
//
// It stands right around the socket, below TLS, so that relays, requests and tunnels obey
// alike. It keeps no bytes: what may not be read stays in the kernel, what may not be
// written is not taken. While a direction has used up its share, it is as if nothing had
// arrived, or nothing could go. It queues up for a piece then, behind all others of that
// share, so that none of them starves, and a timer tells when its turn is. News that the
// connection broke are never held back. One thread, as every stream; the shares are
// those of the whole process.
#pragma once
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "guard/rates.h"
#include "loop/reactor.h"
#include "net/stream.h"

namespace lockgate::guard {

/// A share of somebody's bandwidth: the rule, and who it is.
struct Share {
  std::shared_ptr<const RateRule> rule;
  std::uint64_t key = 0;
};

class PacedStream final : public net::Stream, private net::StreamOwner {
 public:
  /// `incoming` is what may be read, `outgoing` what may be written.
  PacedStream(net::AnyStream under, std::vector<Share> incoming, std::vector<Share> outgoing);

  Result<net::Arrived> read_some(Room room) override;
  Result<std::size_t> write_some(Bytes bytes) override;
  Result<bool> finish(net::Ending ending) override { return under_->finish(ending); }
  bool close_tells_end() const override { return under_->close_tells_end(); }
  void abort() override { under_->abort(); }
  Error why_broken(const char* doing) const override { return under_->why_broken(doing); }

 private:
  /// One direction: all of its shares at once.
  struct Lane final : loop::Runnable {
    Lane(PacedStream& its_stream, std::vector<Share> its_shares)
        : stream(its_stream), shares(std::move(its_shares)) {}
    void run() override { stream.go_on(*this); }
    ~Lane() { give_back(credit); }
    std::uint64_t take(std::uint64_t most, Instant now);
    void give_back(std::uint64_t amount) const;
    std::uint64_t piece() const;
    /// Takes a piece for a turn to come; how long until then.
    Duration queue_up(Instant now);

    PacedStream& stream;
    std::vector<Share> shares;
    loop::Timer timer{*this};
    std::uint64_t credit = 0;  // bytes that its turn is for, or will be
    bool pauses = false;
  };

  void stream_changed() override;
  void pause(Lane& lane);
  void go_on(Lane& lane);
  void look();

  net::AnyStream under_;
  Lane incoming_, outgoing_;
};

}  // namespace lockgate::guard
