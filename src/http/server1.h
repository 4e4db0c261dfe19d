// Server1: the server's side of one HTTP/1 connection. It reads requests one after the
// other, has each answered, and decides whether the connection stays (RFC 9112).
//
// Between two requests it is this small record: no coroutine frame, no buffer. While a
// request is answered it watches for a client that leaves, and then breaks the answer
// off by destroying its story. One thread; the owner destroys it when told that it has
// ended.
#pragma once
#include <optional>
#include <vector>

#include "config/http.h"
#include "http/body1.h"
#include "http/desk.h"
#include "http/exchange.h"
#include "http/receive1.h"
#include "http/send1.h"
#include "loop/reactor.h"

namespace lockgate::http {

class Exchange1;

class Server1Owner {
 public:
  /// No further request will come. Without `why` both sides parted in order, or the connection was switched
  /// to another protocol.
  virtual void server_ended(const std::optional<Error>& why) = 0;

 protected:
  ~Server1Owner() = default;
};

/// A connection that was switched to another protocol, and what either side has said of it already.
struct Switched {
  net::AnyStream client, upstream;
  std::vector<std::byte> from_client, from_upstream;
  Duration patience{};  // without a byte either way
};

class Server1 final : private net::StreamOwner, private loop::Completion, private loop::Runnable {
 public:
  /// `options` and what else is referred to must outlive this.
  Server1(net::AnyStream stream, Desk& desk, Service& service, const config::HttpServer& options,
          std::string_view scheme, Server1Owner& owner);
  ~Server1();

  /// To be called once. `seen` is what set-up has read of the client.
  void begin(Bytes seen);
  /// The request under way is the last one; ends at once if there is none.
  void close_soon();
  /// Breaks off, in the next turn.
  void cut(const Error& why);

  bool is_idle() const { return !story_; }
  /// After the end: whether the connection was switched, and then what is left to be relayed.
  bool is_switched() const { return switched_.has_value(); }
  Switched take_switched();
  net::Stream& stream() { return *stream_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return sender_.bytes(); }

 private:
  friend class Exchange1;
  void look_soon() { stream_->reactor().enqueue(*this); }

  loop::Task<void> converse();
  loop::Task<void> settle(Exchange1& exchange);
  loop::Task<void> linger();
  void start();
  void conclude();
  void watch();
  void park();
  void end(const std::optional<Error>& why);
  void run() override;
  void task_ended() noexcept override { stream_->reactor().enqueue(*this); }
  void stream_changed() override { stream_->reactor().enqueue(*this); }

  net::AnyStream stream_;
  Desk& desk_;
  Service& service_;
  const config::HttpServer& options_;
  Server1Owner& owner_;
  std::string_view scheme_;
  Receiver1 receiver_;
  Sender1 sender_;
  std::optional<loop::Task<void>> story_;
  Exchange1* exchange_ = nullptr;    // the one under way
  std::optional<Error> broken_off_;  // by the client, or by us
  std::optional<Error> refused_;     // why the last request was none
  std::optional<Switched> switched_;
  std::uint64_t bytes_received_ = 0;
  std::uint32_t requests_ = 0;
  bool closing_ = false;  // no request comes behind the one under way
  bool over_ = false;
  loop::Timer timer_{*this};
};

}  // namespace lockgate::http
