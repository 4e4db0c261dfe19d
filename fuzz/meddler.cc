#include "meddler.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lockgate::fuzz {
namespace {

constexpr std::size_t kHeader = 5;            // of a record (RFC 8446, 5.1)
constexpr std::size_t kMessageHeader = 4;     // of a handshake message (RFC 8446, 4)
constexpr std::size_t kMostPassed = 32;       // records that can come again
constexpr std::size_t kLongestBody = 0xffff;  // that a header can tell

std::size_t body_size(const std::string& record) {
  return static_cast<std::size_t>(static_cast<unsigned char>(record[3])) << 8 |
         static_cast<unsigned char>(record[4]);
}

void put_number(std::string& bytes, std::size_t at, std::size_t size, std::size_t number) {
  for (std::size_t i = size; i-- > 0; number >>= 8) bytes[at + i] = static_cast<char>(number & 0xff);
}

std::string made_record(char type, std::string_view body) {
  std::string record{type, 3, 3, 0, 0};
  put_number(record, 3, 2, body.size());
  return record.append(body);
}

// Has the lengths of a record, and of the one message that a plain handshake record mostly holds, fit it.
void mend(std::string& record) {
  if (record.size() < kHeader || record.size() - kHeader > kLongestBody) return;
  std::size_t body = record.size() - kHeader;
  put_number(record, 3, 2, body);
  if (record[0] == 22 && body >= kMessageHeader) put_number(record, kHeader + 1, 3, body - kMessageHeader);
}

std::string in_two(const std::string& record, std::size_t at) {
  std::string_view body = std::string_view(record).substr(kHeader);
  if (body.size() < 2) return record;
  std::size_t first = 1 + at % (body.size() - 1);
  return made_record(record[0], body.substr(0, first)) + made_record(record[0], body.substr(first));
}

}  // namespace

std::uint8_t Script::byte() {
  auto taken = take(1);
  return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::size_t Script::two_bytes() {
  std::size_t high = byte();
  return high << 8 | byte();
}

Bytes Script::take(std::size_t size) {
  Bytes taken = left_.first(std::min(size, left_.size()));
  left_ = left_.subspan(taken.size());
  return taken;
}

bool Lane::pass(net::Stream& from, net::Stream& to, const Lane& other) {
  bool came = gather(from);
  take_records(other);
  return send(to) || came;
}

// Also when nobody is told any more, so that the sender is not held up.
bool Lane::gather(net::Stream& from) {
  bool came = false;
  std::array<std::byte, 4096> room{};
  while (from.readable() && !ended_) {
    auto arrived = from.read_some(room);
    reset_ |= !arrived;
    ended_ = !arrived || arrived->ended;
    if (arrived) gathered_ += as_text(Bytes(room).first(arrived->bytes));
    came |= ended_ || arrived->bytes > 0;
  }
  return came;
}

void Lane::take_records(const Lane& other) {
  while (!stalled_ && gathered_.size() >= kHeader && gathered_.size() >= kHeader + body_size(gathered_)) {
    std::size_t size = kHeader + body_size(gathered_);
    std::string record = gathered_.substr(0, size);
    gathered_.erase(0, size);
    alter(std::move(record), other);
  }
  if (!stalled_ && !ended_) return;
  if (!stalled_) out_ += std::exchange(delayed_, {});
  gathered_.clear();
}

void Lane::alter(std::string record, const Lane& other) {
  passed_.push_back(record);
  if (passed_.size() > kMostPassed) passed_.pop_front();
  std::string before = std::exchange(delayed_, {}), behind;
  for (const Change& change : changes_) {
    if (change.record != count_) continue;
    if (!record.empty()) edit(change, record);
    place(change, record, behind, other);
  }
  ++count_;
  out_ += record + before + behind;
}

void Lane::edit(const Change& change, std::string& record) {
  std::size_t at = change.at % record.size();
  switch (change.deed) {
    case Deed::flip:
      record[at] = static_cast<char>(record[at] ^ (change.value == 0 ? 1 : change.value));
      break;
    case Deed::cut:
      record.erase(at, 1U + change.value);
      break;
    case Deed::insert:
      record.insert(at, change.bytes);
      break;
    case Deed::overwrite:
      record.replace(at, change.bytes.size(), change.bytes);
      break;
    case Deed::split:
      if (record.size() > kHeader) record = in_two(record, change.at);
      return;
    case Deed::end:
      record.resize(at);
      return;
    default:
      return;
  }
  if (change.mends) mend(record);
}

void Lane::place(const Change& change, std::string& record, std::string& behind, const Lane& other) {
  switch (change.deed) {
    case Deed::twice:
      behind += record;
      break;
    case Deed::drop:
      record.clear();
      break;
    case Deed::delay:
      delayed_ = std::exchange(record, {});
      break;
    case Deed::again:
      behind += passed_[change.value % passed_.size()];
      break;
    case Deed::reflect:
      if (!other.passed_.empty()) behind += other.passed_.back();
      break;
    case Deed::inject:
      behind += made_record(static_cast<char>(20 + change.at % 5), change.bytes);
      break;
    case Deed::end:
      ended_ = true;
      break;
    case Deed::stall:
      record.clear();
      stalled_ = true;
      break;
    case Deed::reset:
      reset_ = true;
      break;
    default:
      break;
  }
}

bool Lane::send(net::Stream& to) {
  bool went = false;
  while (!out_.empty() && to.writable() && !told_) {
    auto written = to.write_some(as_bytes(out_));
    told_ = !written;
    out_.erase(0, written.value_or(0));
    went = true;
  }
  if (!ended_ || stalled_ || told_ || !out_.empty()) return went;
  told_ = true;
  (void)to.finish(net::Ending::complete);
  return true;
}

bool Meddler::pass() {
  if (!client_) return false;
  bool moved = up_.pass(*client_, *server_, down_);
  moved |= down_.pass(*server_, *client_, up_);
  if (!up_.is_reset() && !down_.is_reset()) return moved;
  for (net::AnyStream* stream : {&client_, &server_}) {
    (*stream)->abort();
    stream->reset();
  }
  return true;
}

bool Stranger::pass() {
  if (!stream_) return false;
  bool heard = hear();
  return say() || heard;
}

bool Stranger::hear() {
  bool came = false;
  std::array<std::byte, 4096> room{};
  while (stream_->readable()) {
    auto arrived = stream_->read_some(room);
    if (!arrived || arrived->bytes == 0) break;
    heard_ += as_text(Bytes(room).first(arrived->bytes));
    came = true;
  }
  return came;
}

bool Stranger::say() {
  if (!bytes_.empty() && !stream_->writable()) return false;
  if (!bytes_.empty()) {
    auto written = stream_->write_some(bytes_);
    bytes_ = written ? bytes_.subspan(*written) : Bytes{};
    return true;
  }
  if (manners_ == Manners::waits) return false;
  if (manners_ == Manners::ends) {
    (void)stream_->finish(net::Ending::complete);
    manners_ = Manners::waits;
    return true;
  }
  stream_->abort();
  stream_.reset();
  return true;
}

}  // namespace lockgate::fuzz
