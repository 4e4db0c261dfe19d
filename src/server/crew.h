// Crew: the workers and their threads, as the process's thread deals with them.
//
// Everything goes to a worker as a letter; what has to be known afterwards comes back
// as a letter to the process's reactor. The process's thread only.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "loop/task.h"
#include "loop/wait.h"
#include "proxy/worker.h"
#include "server/journal.h"
#include "server/log_writer.h"

namespace lockgate::server {

/// What the workers' connections are, at one moment.
struct CrewView {
  std::array<std::uint64_t, proxy::kStages> stages{};
  std::map<std::string, std::uint64_t> by_listener;
  std::map<std::string, std::uint64_t> waiting;  // for a request, by listener
};

class Crew {
 public:
  using Letter = std::function<void(proxy::Worker&)>;

  /// Makes `size` workers, which log through the first producers of `logs`; their threads begin with start().
  Crew(loop::Reactor& reactor, const Clock& clock, LogWriter& logs, const LogRules& rules, std::size_t size);
  /// Stops the threads; connections still open are closed.
  ~Crew();
  void start();

  std::size_t size() const { return members_.size(); }
  /// Connections being served now. Any thread.
  std::size_t connections() const;
  proxy::Worker& worker(std::size_t number) { return *members_[number].worker; }

  /// Has `letter` called for each worker on its own thread.
  void post_all(const Letter& letter);
  /// The same, and waits until all have done so; false at the deadline.
  loop::Task<bool> ask_all(Letter letter, Instant deadline);
  loop::Task<CrewView> view(Instant deadline);

 private:
  struct Member {
    std::unique_ptr<Journal> journal;
    std::unique_ptr<proxy::Worker> worker;
    std::thread thread;
  };

  loop::Reactor& reactor_;
  std::atomic<std::uint64_t> ids_ = 1;
  std::vector<Member> members_;
  bool closing_ = false;  // nothing more is posted
};

}  // namespace lockgate::server
