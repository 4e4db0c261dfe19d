#include "server/crew.h"

#include <fmt/core.h>
#include <pthread.h>

namespace lockgate::server {

using loop::Task;

namespace {

// Who waits for the workers' answers; it may be gone when the last one comes.
struct Answers {
  explicit Answers(std::size_t expected) : missing(expected) {}
  std::size_t missing;
  loop::WaitSlot complete;
};

}  // namespace

Crew::Crew(loop::Reactor& reactor, const Clock& clock, LogWriter& logs, const LogRules& rules,
           std::size_t size)
    : reactor_(reactor), members_(size) {
  for (std::size_t i = 0; i < size; ++i) {
    Member& member = members_[i];
    member.journal = std::make_unique<Journal>(logs.producer(i), rules, clock);
    member.worker = std::make_unique<proxy::Worker>(clock, *member.journal, i, ids_);
  }
}

Crew::~Crew() {
  for (Member& member : members_) member.worker->stop();
  for (Member& member : members_) {
    if (member.thread.joinable()) member.thread.join();
  }
  closing_ = true;  // the last connections leave their gates, which would tell workers that are going, too
}

void Crew::start() {
  for (Member& member : members_) {
    member.thread = std::thread([worker = member.worker.get()] { worker->run(); });
    pthread_setname_np(member.thread.native_handle(), "lockgate-worker");
  }
}

std::size_t Crew::connections() const {
  std::size_t sum = 0;
  for (const Member& member : members_) sum += member.worker->connections();
  return sum;
}

void Crew::post_all(const Letter& letter) {
  if (closing_) return;
  for (Member& member : members_) {
    member.worker->post([worker = member.worker.get(), letter] { letter(*worker); });
  }
}

Task<bool> Crew::ask_all(Letter letter, Instant deadline) {
  auto answers = std::make_shared<Answers>(members_.size());
  for (Member& member : members_) {
    member.worker->post([this, worker = member.worker.get(), letter, answers] {
      letter(*worker);
      reactor_.post([answers] {
        if (--answers->missing == 0) answers->complete.wake();
      });
    });
  }
  loop::Wait wait(reactor_, answers->complete, deadline);
  bool all = co_await wait;
  co_return all;
}

Task<CrewView> Crew::view(Instant deadline) {
  auto views = std::make_shared<std::vector<CrewView>>(members_.size());
  auto asking = ask_all(
      [views](proxy::Worker& worker) {
        CrewView& view = (*views)[worker.number()];
        worker.each_connection([&view](proxy::Connection& connection) {
          ++view.stages[static_cast<std::size_t>(stage_of(connection.facts()))];
          ++view.by_listener[connection.listener_name()];
          if (connection.waits_for_request()) ++view.waiting[connection.listener_name()];
        });
      },
      deadline);
  bool all = co_await asking;
  if (!all) co_await loop::fail(Errc::timed_out, "asking the workers");
  CrewView sum;
  for (const CrewView& view : *views) {
    for (std::size_t i = 0; i < sum.stages.size(); ++i) sum.stages[i] += view.stages[i];
    for (const auto& [name, count] : view.by_listener) sum.by_listener[name] += count;
    for (const auto& [name, count] : view.waiting) sum.waiting[name] += count;
  }
  co_return sum;
}

}  // namespace lockgate::server
