// Client1: the client's side of one HTTP/1 connection, and the call that is under way on
// it. It serves one call after the other for as long as both sides keep it open.
#pragma once
#include "http/body1.h"
#include "http/desk.h"
#include "http/exchange.h"
#include "http/receive1.h"
#include "http/send1.h"

namespace lockgate::http {

/// How requests are put to an upstream.
struct ClientForm {
  bool http1_0 = false;                       // in HTTP/1.0
  bool keepalive = true;                      // the connection shall serve further calls
  std::size_t head_limit = 64 * 1024;         // bytes of an answer's head
  bool to_proxy = false;                      // in absolute form, for a proxy that asks on
  std::string_view proxy_authorization = {};  // for that proxy; until send() has begun
};

class Client1 final : public Call {
 public:
  /// `early` is what the upstream has said before it was asked anything, which spoils the connection.
  Client1(net::AnyStream stream, Desk& desk, Bytes early);

  /// Before each call.
  void begin(const ClientForm& form);

  loop::Task<void> send(const Request& request, Piece first, Duration patience) override;
  loop::Task<void> write(Piece piece, Duration patience) override;
  void add_trailers(const Fields::List& trailers) override { sender_.add_trailers(trailers); }
  loop::Task<void> receive(Response& answer, Arena& arena, Instant deadline) override;
  loop::Task<Piece> read(Instant deadline) override;
  Result<std::optional<Piece>> read_now() override;
  const Fields::List& trailers() const override { return body_.trailers(); }
  void give_up(const Error& why) override { receiver_.give_up(why); }
  bool is_reusable() const override;
  net::AnyStream take_stream(std::vector<std::byte>& early) override;

  net::Stream& stream() { return *stream_; }

 private:
  loop::Task<void> drain(Duration patience);
  Error failed(Error error) const;

  net::AnyStream stream_;
  Desk& desk_;
  Receiver1 receiver_;
  Sender1 sender_;
  Body1 body_;
  ClientForm form_;
  std::string_view method_;  // of the call's request
  bool answered_ = false;    // a final answer's head has come
  bool heard_ = false;       // a byte of an answer has come
  bool stays_ = false;       // the upstream keeps the connection open
  bool spoilt_ = false;      // it has spoken out of turn
};

}  // namespace lockgate::http
