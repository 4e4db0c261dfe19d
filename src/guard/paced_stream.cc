#include "guard/paced_stream.h"

#include <algorithm>

namespace lockgate::guard {

PacedStream::PacedStream(net::AnyStream under, std::vector<Share> incoming, std::vector<Share> outgoing)
    : Stream(under->reactor()),
      under_(std::move(under)),
      incoming_(*this, std::move(incoming)),
      outgoing_(*this, std::move(outgoing)) {
  under_->set_owner(this);
  look();
}

// The end costs nothing, but that it is there is known only from reading.
Result<net::Arrived> PacedStream::read_some(Room room) {
  if (broken() || incoming_.shares.empty()) {
    auto arrived = under_->read_some(room);
    look();
    return arrived;
  }
  if (incoming_.pauses || room.empty()) return net::Arrived{};
  std::uint64_t granted = incoming_.take(room.size(), reactor().now());
  if (granted == 0) {
    pause(incoming_);
    return net::Arrived{};
  }
  auto arrived = under_->read_some(room.first(granted));
  incoming_.give_back(granted - (arrived ? arrived->bytes : 0));
  look();
  return arrived;
}

Result<std::size_t> PacedStream::write_some(Bytes bytes) {
  if (broken() || outgoing_.shares.empty()) {
    auto written = under_->write_some(bytes);
    look();
    return written;
  }
  if (outgoing_.pauses) return 0;  // TLS tries with every read; what its turn will bring is not there yet
  std::uint64_t granted = outgoing_.take(bytes.size(), reactor().now());
  if (granted == 0 && !bytes.empty()) {
    pause(outgoing_);
    return 0;
  }
  auto written = under_->write_some(bytes.first(granted));
  outgoing_.give_back(granted - written.value_or(0));
  look();
  if (written && *written == granted && granted < bytes.size()) pause(outgoing_);
  return written;
}

void PacedStream::stream_changed() {
  look();
  tell();
}

void PacedStream::pause(Lane& lane) {
  Instant now = reactor().now();
  lane.pauses = true;
  reactor().start(lane.timer, now + lane.queue_up(now));
  look();
}

void PacedStream::go_on(Lane& lane) {
  lane.pauses = false;
  look();
  tell();
}

void PacedStream::look() {
  broken_ = under_->broken();
  readable_ = under_->readable() && (broken_ || !incoming_.pauses);
  writable_ = under_->writable() && (broken_ || !outgoing_.pauses);
}

// What its turn has brought comes first; the rest of that is for others.
std::uint64_t PacedStream::Lane::take(std::uint64_t most, Instant now) {
  if (credit > 0) {
    std::uint64_t used = std::min(most, credit);
    give_back(std::exchange(credit, 0) - used);
    return used;
  }
  std::uint64_t granted = most;
  for (std::size_t i = 0; i < shares.size() && granted > 0; ++i) {
    RateTable& table = shares[i].rule->rates->table();
    std::uint64_t taken = table.take_some(shares[i].key, shares[i].rule->quota, granted, now);
    for (std::size_t before = 0; before < i; ++before)
      table.give_back(shares[before].key, shares[before].rule->quota, granted - taken);
    granted = taken;
  }
  return granted;
}

void PacedStream::Lane::give_back(std::uint64_t amount) const {
  if (amount == 0) return;
  for (const Share& share : shares)
    share.rule->rates->table().give_back(share.key, share.rule->quota, amount);
}

// A piece is what comes in a twentieth of a second, or less where that is much: so many take turns.
std::uint64_t PacedStream::Lane::piece() const {
  constexpr std::int64_t kTime = 50'000'000;
  constexpr std::uint64_t kMost = 16 * 1024;
  std::uint64_t least = kMost;
  for (const Share& share : shares) {
    const Quota& quota = share.rule->quota;
    double rate = static_cast<double>(quota.amount) / static_cast<double>(quota.period.count());
    least = std::min({least, static_cast<std::uint64_t>(rate * kTime), quota.burst});
  }
  return std::max<std::uint64_t>(least, 1);
}

Duration PacedStream::Lane::queue_up(Instant now) {
  Duration longest{};
  credit = piece();
  for (const Share& share : shares) {
    RateTable& table = share.rule->rates->table();
    longest = std::max(longest, table.take(share.key, share.rule->quota, credit, now, Duration::max()).wait);
  }
  return longest;
}

}  // namespace lockgate::guard
