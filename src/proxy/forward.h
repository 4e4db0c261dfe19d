// Forwarding: one exchange with a client passed on to an upstream, and the answer back.
//
// It never knows the version of HTTP on either side. Bodies are streamed both ways at
// once, each no faster than its receiver takes it. What failed is asked again where
// that cannot do harm: at the same endpoint if a connection from the pool was stale, at
// another one otherwise. One thread; destroying it breaks both sides off.
#pragma once
#include <optional>
#include <string>

#include "loop/scope.h"
#include "proxy/buffered_body.h"
#include "proxy/dial.h"
#include "proxy/house.h"
#include "proxy/pool.h"
#include "proxy/request_facts.h"
#include "proxy/sticky.h"

namespace lockgate::proxy {

class Forward {
 public:
  Forward(House& house, const WorkerPlan& plan, http::Exchange& exchange, RequestFacts& facts);

  /// Answers the exchange. Fails with what went wrong, before or after the answer has begun.
  loop::Task<void> run();

 private:
  using Connection = std::unique_ptr<UpstreamConnection>;

  loop::Task<void> buffer_request();
  Result<void> take_first_piece();
  Result<void> refuse_unsized() const;
  loop::Task<void> ask_one();
  loop::Task<const Target*> choose(Attempts& attempts, Instant& connect_by);
  loop::Task<Connection> connect(const Target& target, Instant deadline);
  loop::Task<void> ask(const Target& target);
  loop::Task<void> hear_answer();
  loop::Task<void> upload();
  Result<http::Piece> first_of_answer();
  loop::Task<void> pass_body(http::Piece piece);
  loop::Task<void> pass_buffered(http::Piece first);
  loop::Task<void> read_ahead(BufferedAnswer& buffered);
  void release_connection();
  loop::Task<void> answer();
  bool intercepts() const;
  loop::Task<void> answer_instead();
  bool waits_for_continue() const;
  void start_upload();
  loop::Task<void> switch_protocol();
  Connection take_connection(const Target& target);
  bool may_ask_again(const Error& error) const;
  bool reached_limit(std::uint64_t more) const;
  void note_try(const Target& target, const Error& error);
  PoolKey key_of(const Target& target) const;
  const ParentView* parent_of(const Target& target) const;
  Instant soon(Duration patience) const;
  Instant answer_by() const;

  House& house_;
  const WorkerPlan& plan_;
  http::Exchange& exchange_;
  RequestFacts& facts_;
  const config::Forwarding& options_;
  UpstreamView& upstream_;
  BufferedRequest buffered_;
  http::Piece first_;  // of the request's body, in memory that stays
  AtEndpoint at_;
  Connection connection_;
  Sticky sticky_;
  Instant total_by_ = kNever;
  std::uint64_t uploaded_ = 0;
  bool sent_ = false;        // some upstream may have seen the request
  bool body_begun_ = false;  // more of the body was read than the first piece
  bool uploading_ = false;
  std::optional<Error> client_failed_;  // while its body was read
  loop::Scope scope_;                   // of the upload; goes before all that it uses
};

}  // namespace lockgate::proxy
