#include "tls/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lockgate::tls {

using loop::Task;
using net::Arrived;
using net::Ending;

namespace {

constexpr std::size_t kLargestRecord = 16 * 1024;
// After a pause the first records are small enough for one segment each, so that the receiver can begin to
// open before a whole congestion window has arrived.
constexpr std::size_t kFirstRecord = 1400;
constexpr std::size_t kWarm = 64 * 1024;
constexpr Duration kPause = std::chrono::seconds(1);
// Sealed at once, and so the most that is held sealed for a receiver that takes nothing.
constexpr std::size_t kPiece = 64 * 1024;
// A peer that asks for answers (key updates) and does not read them is not read from either.
constexpr std::size_t kMostUnsent = 2 * kPiece;
// A peer can send key updates for ever; so many bytes without any data are a flood.
constexpr std::size_t kMostBarren = 256 * 1024;
// So are so many handshake messages (a new key costs as much as 100 KiB of data to open), beyond one for each
// piece of data.
constexpr std::uint32_t kMostMessages = 1000;
constexpr std::size_t kDataPerMessage = 4096;
// No handshake needs more, with any chain that libssl accepts.
constexpr std::size_t kLongestHandshake = 256 * 1024;

constexpr const char* kHandshaking = "shaking hands";

// Linux says EPIPE rather than ECONNRESET of a reset that came after the peer's end (tcp_reset()).
bool had_ended(const Error& error) {
  return error.detail.kind == DetailKind::system && error.detail.number == EPIPE;
}

// SSL_get_error() asks whether there are any. Looking costs a tenth of clearing.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

void free_ssl(ssl_st* ssl) { SSL_free(ssl); }

TlsStream::TlsStream(net::AnyStream under, Start start, Scratch& scratch)
    : Stream(under->reactor()),
      under_(std::move(under)),
      side_(std::move(start.side)),
      ssl_(std::move(start.ssl)),
      scratch_(scratch),
      wire_{.in = {},
            .out = &scratch.sealed(),
            .alert = {},
            .messages = 0,
            .untrusted = {},
            .key_log = std::move(start.key_log),
            .alpn = std::move(start.alpn),
            .peer = std::move(start.peer)},
      unopened_(start.seen.begin(), start.seen.end()),
      unsent_(start.ahead.begin(), start.ahead.end()) {
  attach(*ssl_, wire_);
}

// A session stays good for resumption only if libssl believes that it ended in order.
TlsStream::~TlsStream() { SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

Task<void> TlsStream::handshake(Instant deadline) {
  std::size_t heard = 0;
  for (bool over = false; !over;) {
    heard += unopened_.size();
    if (heard > kLongestHandshake) co_await loop::fail(Errc::too_large, kHandshaking);
    wire_.in = unopened_;
    forget_errors();
    int outcome = SSL_do_handshake(ssl_.get());
    over = outcome == 1;
    if (!over && SSL_get_error(ssl_.get(), outcome) != SSL_ERROR_WANT_READ) failure_ = failed(kHandshaking);
    keep_unopened();
    auto pushing = push_all(deadline);
    auto pushed = co_await loop::attempt(std::move(pushing));
    if (failure_) co_await loop::fail(*failure_);  // rather than that the alert found no way out
    if (!pushed) co_await loop::fail(pushed.error());
    if (over) break;
    auto hearing = hear_more(deadline);
    co_await hearing;
  }
  under_->set_owner(this);
  settle();
}

// Handshake messages on their way out.
Task<void> TlsStream::push_all(Instant deadline) {
  for (;;) {
    auto gone = push();
    if (!gone) co_await loop::fail(gone.error());
    if (*gone) co_return;
    loop::Wait wait(reactor(), under_->writer(), deadline);
    bool woken = co_await wait;
    if (!woken) co_await loop::fail(Errc::timed_out, kHandshaking);
  }
}

Task<void> TlsStream::hear_more(Instant deadline) {
  auto reading = net::read(*under_, scratch_.records(), deadline);
  auto size = co_await loop::attempt(std::move(reading));
  if (!size) {
    Error error = size.error();
    error.doing = kHandshaking;
    co_await loop::fail(error);
  }
  if (*size == 0) co_await loop::fail(Errc::closed, kHandshaking);
  auto records = scratch_.records().first(*size);
  unopened_.assign(records.begin(), records.end());
}

Result<Arrived> TlsStream::read_some(Room room) {
  wire_.in = unopened_;
  forget_errors();
  std::size_t got = 0;
  while (got < room.size() && !ended_ && !failure_ && unsent_.size() <= kMostUnsent) {
    bool fed = !wire_.in.empty() || SSL_pending(ssl_.get()) > 0;
    if (!fed && got > 0) break;  // small records cost much: others have their turn first
    auto brought = fed ? open(room.subspan(got)) : feed();
    if (!brought) failure_ = brought.error();
    if (brought && fed) got += *brought;
    if (brought && !fed && *brought == 0) break;
  }
  keep_unopened();
  if (auto gone = push(); !gone && !failure_) failure_ = gone.error();
  bool could_write = writable_;
  settle();
  if (writable_ && !could_write)
    reactor().enqueue(*this);  // who waits to write is told, though no edge comes
  if (got > 0) return Arrived{.bytes = got};
  if (failure_) return std::unexpected(*failure_);
  return Arrived{.ended = ended_.has_value(), .ending = ended_.value_or(Ending::complete)};
}

// What is sealed has to go on first; then the caller's bytes that it stands for are the ones that have gone.
Result<std::size_t> TlsStream::write_some(Bytes bytes) {
  bool waits = false;  // libssl, for the rest of a message of the handshake
  for (std::size_t gone = 0;;) {
    auto pushed = push();
    if (!pushed) return std::unexpected(pushed.error());
    if (!*pushed) {
      writable_ = false;
      return gone;
    }
    gone += std::exchange(sealed_, 0);
    if (gone >= bytes.size() || waits) {
      settle();
      return gone;
    }
    if (failure_) return std::unexpected(*failure_);
    forget_errors();
    seal(bytes.subspan(gone));
    waits = sealed_ == 0 && !failure_;
  }
}

Result<bool> TlsStream::finish(Ending ending) {
  if (!std::exchange(closed_, true) && ending == Ending::complete && !failure_) {
    forget_errors();
    SSL_shutdown(ssl_.get());
  }
  auto told = push();
  if (told && !*told) {
    writable_ = false;
    return false;
  }
  if (told) told = under_->finish(ending);
  if (told && !*told) {
    writable_ = false;
    return false;
  }
  finished_ = true;
  // Whoever is gone need not be told. What it has said before is still to be read; if its end is not among
  // that, reading tells how it left.
  if (!told && !had_ended(told.error())) gone_ = told.error();
  return true;
}

// 0: libssl wants more records.
Result<std::size_t> TlsStream::open(Room room) {
  std::size_t got = 0;
  bool opened = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got) == 1;
  if (opened) barren_ = 0;
  data_ += got;
  if (wire_.messages > kMostMessages + data_ / kDataPerMessage)
    return failure(Errc::bad_message, "reading more key updates than data");
  if (opened) return got;
  switch (SSL_get_error(ssl_.get(), 0)) {
    case SSL_ERROR_WANT_READ:
      return 0;
    case SSL_ERROR_ZERO_RETURN:
      ended_ = Ending::complete;
      return 0;
    default:
      return std::unexpected(failed("reading"));
  }
}

// Lays before libssl what the stream below has, and tells how much.
Result<std::size_t> TlsStream::feed() {
  if (!under_->readable()) return 0;
  Room room = scratch_.records();
  auto arrived = under_->read_some(room);
  if (!arrived) return std::unexpected(arrived.error());
  if (arrived->ended) {
    if (gone_) return std::unexpected(*gone_);
    ended_ = Ending::truncated;
    return 0;
  }
  barren_ += arrived->bytes;
  if (barren_ > kMostBarren) return failure(Errc::bad_message, "reading TLS records that hold no data");
  wire_.in = room.first(arrived->bytes);
  return arrived->bytes;
}

void TlsStream::seal(Bytes bytes) {
  bytes = bytes.first(std::min(bytes.size(), kPiece));
  for (std::size_t size = record_size(); sealed_ < bytes.size();) {
    Bytes record = bytes.subspan(sealed_, std::min(size, bytes.size() - sealed_));
    std::size_t taken = 0;
    if (SSL_write_ex(ssl_.get(), record.data(), record.size(), &taken) != 1) {
      if (SSL_get_error(ssl_.get(), 0) != SSL_ERROR_WANT_READ) failure_ = failed("writing");
      return;
    }
    sealed_ += taken;
  }
  warm_ += sealed_;
  last_sent_ = reactor().now();
}

std::size_t TlsStream::record_size() {
  if (reactor().now() - last_sent_ > kPause) warm_ = 0;
  return warm_ < kWarm ? kFirstRecord : kLargestRecord;
}

// Writes what is sealed. False while the stream below does not take all of it. Behind our end nothing more
// can be said, though libssl still answers a peer that asks for new keys.
Result<bool> TlsStream::push() {
  std::vector<std::byte>& fresh = scratch_.sealed();
  if (finished_) fresh.clear();
  if (unsent_.empty() && fresh.empty()) return true;
  bool waiting = !unsent_.empty();
  if (waiting) unsent_.insert(unsent_.end(), fresh.begin(), fresh.end());
  auto written = under_->write_some(waiting ? unsent_ : fresh);
  if (!written) {
    fresh.clear();
    release(unsent_);
    return std::unexpected(written.error());
  }
  auto gone = static_cast<std::ptrdiff_t>(*written);
  if (waiting)
    unsent_.erase(unsent_.begin(), unsent_.begin() + gone);
  else
    unsent_.assign(fresh.begin() + gone, fresh.end());
  fresh.clear();
  if (!unsent_.empty()) return false;
  release(unsent_);
  return true;
}

void TlsStream::keep_unopened() {
  if (wire_.in.empty())
    release(unopened_);
  else if (wire_.in.size() != unopened_.size() || wire_.in.data() != unopened_.data())
    unopened_ = std::vector<std::byte>(wire_.in.begin(), wire_.in.end());
  wire_.in = {};
}

// Why libssl goes no further: the peer's certificate, the peer's alert, or libssl's own reason. That stands
// last; before it may be what libcrypto stumbled over, as a signature that does not hold.
Error TlsStream::failed(const char* doing) const {
  unsigned long reason = ERR_peek_last_error();
  int number = ERR_GET_REASON(reason);
  bool of_tls = ERR_GET_LIB(reason) == ERR_LIB_SSL;
  if (of_tls && number == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    auto verified = static_cast<std::int16_t>(SSL_get_verify_result(ssl_.get()));
    return {.code = Errc::untrusted, .detail = {DetailKind::certificate, verified}, .doing = doing};
  }
  Error error{.code = Errc::handshake, .doing = doing};
  if (wire_.alert && !wire_.alert->sent)
    error.detail = {DetailKind::alert, wire_.alert->number};
  else if (of_tls)
    error.detail = {DetailKind::tls, static_cast<std::int16_t>(number)};
  return error;
}

// The facts, after the stream below or libssl has changed. There is no telling whether libssl holds a part of
// a record; it keeps its buffer then.
void TlsStream::settle() {
  bool opened = SSL_pending(ssl_.get()) > 0;
  bool may_read = opened || !unopened_.empty() || under_->readable();
  readable_ = ended_ || failure_ || (may_read && unsent_.size() <= kMostUnsent);
  // Not only run() sends what is sealed: a read does, too, and then the edge from below finds nothing left.
  // While a message of the handshake has come in part only, libssl writes nothing.
  writable_ = (unsent_.empty() && SSL_in_init(ssl_.get()) == 0) || failure_;
  broken_ = under_->broken();
  if (!opened) SSL_free_buffers(ssl_.get());
}

void TlsStream::stream_changed() {
  if (!unsent_.empty() && under_->writable()) return reactor().enqueue(*this);
  settle();
  tell();
}

// What waits to be sent goes first.
void TlsStream::run() {
  if (auto gone = push(); !gone && !failure_) failure_ = gone.error();
  settle();
  tell();
}

}  // namespace lockgate::tls
