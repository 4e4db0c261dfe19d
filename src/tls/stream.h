// TlsStream: TLS around any stream.
//
// libssl never touches a socket. It opens records out of memory that the stream below
// was read into, and seals into memory that is then written at once, many records to a
// system call; all streams of a worker share that memory. While nothing moves a stream
// holds no buffer, only libssl's state. Nothing above this room knows that the records
// are libssl's. One thread.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/owned.h"
#include "loop/reactor.h"
#include "net/stream.h"
#include "tls/scratch.h"
#include "tls/session.h"
#include "tls/wire.h"

struct ssl_st;

namespace lockgate::tls {

void free_ssl(ssl_st* ssl);
using OwnedSsl = Owned<ssl_st, free_ssl>;

class TlsStream final : public net::Stream, private net::StreamOwner, private loop::Runnable {
 public:
  /// What a stream is begun with.
  struct Start {
    OwnedSsl ssl;           // knows its side, whom it trusts and what it shows
    Bytes seen = {};        // of the stream below, read already; copied
    Bytes ahead = {};       // goes out before the first record; copied
    std::string alpn = {};  // of a server: what it agrees to, as alpn_list() makes it
    std::string peer = {};  // of a client: under which name its sessions are kept
    KeyLog key_log = {};
    std::shared_ptr<const void> side =
        {};  // what `ssl` was made by, where that must stay as long as this stream
  };
  TlsStream(net::AnyStream under, Start start, Scratch& scratch);
  ~TlsStream() override;

  /// Awaited once, before anything else. Fails with `handshake` or `untrusted`, of which the peer was told in
  /// an alert, or with what the stream below fails with; `timed_out` at the deadline. After a failure only
  /// the stream below is of use.
  loop::Task<void> handshake(Instant deadline);
  /// What was agreed on, once the handshake is over.
  Session session() const { return session_of(*ssl_); }
  /// The last fatal alert, either way.
  const std::optional<Alert>& alert() const { return wire_.alert; }
  /// Which of the peer's certificates does not hold; empty if that was not the trouble.
  const std::string& untrusted() const { return wire_.untrusted; }
  ssl_st& ssl() { return *ssl_; }
  net::Stream& under() { return *under_; }

  Result<net::Arrived> read_some(Room room) override;
  Result<std::size_t> write_some(Bytes bytes) override;
  Result<bool> finish(net::Ending ending) override;
  void abort() override { under_->abort(); }
  bool close_tells_end() const override { return false; }
  Error why_broken(const char* doing) const override { return under_->why_broken(doing); }

 private:
  void stream_changed() override;
  void run() override;
  Result<std::size_t> open(Room room);
  Result<std::size_t> feed();
  void seal(Bytes bytes);
  Result<bool> push();
  loop::Task<void> push_all(Instant deadline);
  loop::Task<void> hear_more(Instant deadline);
  void keep_unopened();
  void settle();
  std::size_t record_size();
  Error failed(const char* doing) const;

  net::AnyStream under_;
  std::shared_ptr<const void> side_;
  OwnedSsl ssl_;
  Scratch& scratch_;
  Wire wire_;
  std::vector<std::byte> unopened_;  // read of the stream below, not yet looked at
  std::vector<std::byte> unsent_;    // sealed, and not yet taken by the stream below
  std::size_t sealed_ = 0;           // bytes of the caller's that `unsent_` stands for
  std::size_t barren_ = 0;           // bytes from below since the last that brought any for the caller
  std::uint64_t data_ = 0;           // bytes of the caller's that were read
  std::size_t warm_ = 0;             // bytes sent since the last pause
  Instant last_sent_{};
  std::optional<Error> failure_;
  std::optional<net::Ending> ended_;  // the peer's end was read
  std::optional<Error> gone_;         // the peer could not be told our end
  bool closed_ = false;               // our close_notify is sealed
  bool finished_ = false;             // and the stream below was told our end
};

}  // namespace lockgate::tls
