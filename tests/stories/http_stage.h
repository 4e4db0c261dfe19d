// The stage on which plays of HTTP are given: one worker's house, upstreams that answer
// by their script, and a client.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loop/scope.h"
#include "proxy/connection.h"
#include "proxy/made_house.h"
#include "stories/http_plays.h"
#include "stories/memory_stream.h"

namespace lockgate::stories {

/// A message of HTTP/1 in a form that does not depend on how it was framed, nor on the date.
struct Message {
  std::string head, body, trailers;
  bool complete = false;  // which one is not that goes on until the close
  bool until_close = false;
  std::size_t size = 0;  // as it came

  bool is_interim() const { return head.starts_with("HTTP/1.1 1") && !head.starts_with("HTTP/1.1 101"); }
  bool is_own_page() const { return head.contains("\r\nCache-Control: no-store\r\n"); }
  std::string text() const;
};
/// The messages that `text` is made of; those without a body by definition, or all answers if `heads`, have
/// none.
std::vector<Message> messages_in(std::string_view text, bool heads = false);

/// An access line's field, unquoted; empty if it is not there.
std::string field_of(const std::string& line, const std::string& name);

class HttpStage final : public proxy::ConnectionOwner {
 public:
  explicit HttpStage(const HttpPlay& play, const Manner& manner = {});
  ~HttpStage();

  /// The client comes and plays its part.
  void begin();
  /// Until it is over; time passes whenever nothing else happens. False if that takes too long.
  bool finish();
  bool run() { return begin(), finish(); }
  void turn(int turns);

  /// Nothing is left of the connection but what waits in the pool.
  void expect_empty() const;
  /// Everything went as the play says.
  void expect_as_written() const;
  /// Something went wrong, and yet nobody was told what is not true.
  void expect_no_untruth() const;
  /// Each request has one line, and no more than the client has made.
  void expect_lines() const;
  /// Of requests: "200 finished".
  std::vector<std::string> lines() const;

  proxy::Connection* connection() { return connection_.get(); }
  void forget() { connection_.reset(); }
  bool is_over() const { return over_ > 0; }
  Faults& faults() { return network_.faults(); }
  const Heard& by_client() const { return client_.heard; }
  const proxy::MadeJournal& journal() const { return journal_; }
  proxy::Pool& pool() { return pool_; }
  int connections() const { return static_cast<int>(upstreams_.size()); }
  Duration took() const { return clock_.now() - begun_; }

 private:
  struct End {  // the test's, of a connection
    void take(net::AnyStream far, loop::Reactor& reactor) {
      stream = std::move(far);
      listening.emplace(reactor);
      listening->spawn(hear(*stream, heard));
    }
    net::AnyStream stream;  // null: it has left
    Heard heard;
    std::optional<loop::Scope> listening;
  };

  const std::shared_ptr<proxy::WorkerPlan>& newest_plan() const override { return plan_; }
  void connection_over(proxy::Connection& connection) override;
  std::shared_ptr<proxy::WorkerPlan> made_plan(const std::string& sites);
  loop::Task<void> play_client();
  loop::Task<void> play_upstream(End& end);
  loop::Task<bool> act(const Step& step, End& end, std::size_t& mark);
  loop::Task<void> finish_end(End& end);
  loop::Task<void> hear_answer(std::ptrdiff_t count);
  loop::Task<Message> hear_request(End& end, std::size_t begin);
  loop::Task<void> turn_over();
  void expect_told_truth() const;
  void expect_asked_truth() const;
  std::size_t progress() const;

  const HttpPlay& play_;
  ManualClock clock_;
  Instant begun_ = clock_.now();
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  proxy::MadeJournal journal_;
  loop::WaitSlot place_freed_, moved_;
  proxy::MadeRegistry registry_;
  MemoryNetwork network_;
  tls::Scratch records_, parent_records_;
  http::Desk desk_{buffers_};
  proxy::Pool pool_{reactor_};
  proxy::House house_{reactor_, buffers_, network_,        journal_,     desk_,
                      pool_,    records_, parent_records_, place_freed_, 0};
  std::vector<std::shared_ptr<const proxy::Targets>> targets_;
  std::shared_ptr<proxy::WorkerPlan> plan_;
  End client_;
  std::vector<std::unique_ptr<End>> upstreams_;
  loop::Scope scope_{reactor_};
  std::unique_ptr<proxy::Connection> connection_;
  int over_ = 0;
};

}  // namespace lockgate::stories
