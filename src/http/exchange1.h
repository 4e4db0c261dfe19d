// Exchange1: one request of an HTTP/1 connection and its answer. It lives in the frame of
// its server's story.
#pragma once
#include "http/server1.h"

namespace lockgate::http {

class Exchange1 final : public Exchange {
 public:
  explicit Exchange1(Server1& server);
  ~Exchange1() override;

  /// Reads the head. False if the client has left or fallen silent without beginning a request.
  loop::Task<bool> receive();

  Memory& memory() override { return *memory_; }
  loop::Task<Piece> read() override;
  Result<std::optional<Piece>> read_now() override;
  const Fields::List& trailers() const override { return body_.trailers(); }
  void leave_body() override;
  loop::Task<void> say_continue() override;
  loop::Task<void> inform(const Response& interim) override;
  loop::Task<void> respond(const Response& answer, Piece first) override;
  loop::Task<void> write(Piece piece) override;
  void add_trailers(const Fields::List& trailers) override;
  void switch_to(net::AnyStream upstream, Bytes early, Duration patience) override;
  bool responded() const override { return responded_; }
  std::uint64_t bytes_sent() const override { return server_.sender_.bytes() - sent_before_; }
  std::uint64_t bytes_received() const override { return body_.bytes(); }
  Error why_broken_off() const override;
  void close_afterwards() override { server_.closing_ = true; }

  Body1& body() { return body_; }
  /// All of the request was read, nothing was answered yet, and the client would ask for more.
  bool awaits_answer() const { return received_ && persists_ && body_.ended() && !responded_; }

 private:
  loop::Task<void> gather_head(Instant deadline);
  loop::Task<void> drain();
  Error fail_body(const Error& error);
  Result<void> take_head();
  Instant body_deadline() const;
  HeadForm form_of(const Response& answer, Piece first);

  Server1& server_;
  std::unique_ptr<Memory> memory_;
  Body1 body_;
  std::uint64_t sent_before_;
  Instant body_begun_{};
  bool received_ = false;  // the head
  bool persists_ = false;  // the client means to send another request
  bool left_ = false;      // the client has ended, or fallen silent, where a request could have begun
  bool responded_ = false;
  bool may_continue_ = false;  // the client waits for 100 no longer
  bool takes_chunks_ = true;
};

}  // namespace lockgate::http
