// Process: the whole house. It builds the rooms' things, starts the workers, and on
// its own thread reloads, drains, answers the operator and keeps the upstreams.
//
// Connections never pass through this thread. Start order: logs, privileges, sockets,
// sandbox, workers, admin; the end is the same backwards.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "loop/scope.h"
#include "proxy/keeper.h"
#include "proxy/worker.h"
#include "server/admin.h"
#include "server/control.h"
#include "server/journal.h"
#include "server/listening.h"
#include "server/log_writer.h"
#include "server/overview.h"
#include "server/registry.h"
#include "server/signals.h"
#include "server/systemd.h"

namespace lockgate::server {

class Process final : private Overview, private Commands, private SignalOwner {
 public:
  /// `config_path` is what a reload reads; empty if the configuration came from flags.
  Process(config::Config config, std::string config_path);
  ~Process();

  /// Serves until told to end; the exit code.
  int run();

 private:
  struct Crew {
    std::unique_ptr<Journal> journal;
    std::unique_ptr<proxy::Worker> worker;
    std::thread thread;
  };

  bool start();
  void start_workers();
  bool start_admin();
  std::expected<void, std::string> apply(config::Config config);
  void send_plan(const std::shared_ptr<const proxy::Plan>& plan, const ListeningSockets::Change& change);
  void tell_workers(std::function<void(proxy::Worker&)> letter, std::function<void()> done);

  struct Reloaded {
    bool ok = false;
    std::string message;
  };
  Reloaded reload();
  void begin_drain();
  loop::Task<void> drain();
  loop::Task<void> watchdog();

  void signalled(int number) override;
  loop::Task<nlohmann::json> handle(nlohmann::json request) override;

  SystemClock clock_;
  std::string config_path_;
  std::shared_ptr<const config::Config> config_;
  loop::Reactor reactor_{clock_};
};

}  // namespace lockgate::server
