// Process: the whole house. It builds the rooms' things, starts the workers, and on
// its own thread reloads, drains, answers the operator and keeps the upstreams.
//
// Connections never pass through this thread. Members stand in the order in which they
// are made; the end is the same backwards.
#pragma once
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "guard/address_keeper.h"
#include "loop/scope.h"
#include "proxy/keeper.h"
#include "proxy/stapler.h"
#include "server/admin.h"
#include "server/ban_keeper.h"
#include "server/control.h"
#include "server/crew.h"
#include "server/demo_origin.h"
#include "server/journal.h"
#include "server/listening.h"
#include "server/log_writer.h"
#include "server/overview.h"
#include "server/registry.h"
#include "server/signals.h"
#include "server/systemd.h"

namespace lockgate::server {

struct ProcessOptions {
  std::string config_path;   // what a reload reads; empty if the configuration came from flags
  ActivatedSockets sockets;  // handed over by systemd
  Fd demo_listening;         // where the demo origin listens, if it is wanted
};

class Process final : private Observed, private Commands, private SignalOwner {
 public:
  Process(config::Config config, ProcessOptions options);
  ~Process() override;

  /// Serves until told to end; the exit code.
  int run();

 private:
  using Outcome = std::expected<void, std::string>;

  Outcome start();
  Outcome become_service();
  Outcome open_admin();
  Outcome apply(config::Config wanted);
  void put_into_effect(std::shared_ptr<const config::Config> config,
                       const std::vector<ListeningSockets::Socket>& open);
  void fit_to_descriptors(config::Config& config);
  void send_plan(const std::shared_ptr<const proxy::Plan>& plan,
                 const std::vector<ListeningSockets::Socket>& open);
  void staple();
  loop::Task<void> close_gone();
  loop::Task<Outcome> reload();
  loop::Task<void> reload_on_signal();
  Outcome read_again();
  Outcome not_reloaded(const std::string& why);
  loop::Task<void> tidy();
  void renew_keyring();
  loop::Task<void> watch_users();
  void forget_unused();
  void tell_ready();
  void warn_of_restart_only(const config::Config& next);
  void begin_drain();
  loop::Task<void> drain();
  loop::Task<void> end();
  loop::Task<void> prove_alive(Duration every);

  void signalled(int number) override;
  bool draining() const override { return draining_; }
  loop::Task<Overview> overview() override;
  loop::Task<nlohmann::json> handle(nlohmann::json request, std::string asker) override;
  nlohmann::json decide_accounts(const nlohmann::json& request, const std::string& asker);
  nlohmann::json administer(const nlohmann::json& request, const std::string& asker);
  nlohmann::json set_log_level(const nlohmann::json& request);

  SystemClock clock_;
  ProcessOptions options_;
  std::shared_ptr<const config::Config> config_;
  std::size_t workers_;
  std::uint64_t descriptors_ = 0;  // that this process may have open
  ServiceNotifier notifier_ = ServiceNotifier::from_environment();
  LogRules rules_;
  LogWriter logs_;
  Journal journal_;
  loop::Reactor reactor_;
  net::SystemConnector connector_;
  Signals signals_;
  ListeningSockets sockets_;
  tls::Keyring keyring_;  // before the crew, whose threads leave their marks in its libraries until they end
  guard::Guardroom guardroom_;
  Crew crew_;
  proxy::Keeper keeper_;
  proxy::Stapler stapler_;
  guard::AddressKeeper address_keeper_;
  guard::Rosters::Publish publish_users_;
  BanKeeper ban_keeper_;
  ProcessRegistry registry_;
  AdminPages admin_pages_;
  HttpServer admin_;
  std::unique_ptr<ControlSocket> control_;
  DemoOrigin demo_pages_;
  HttpServer demo_;
  loop::Scope scope_;

  bool draining_ = false, reloading_ = false;
  loop::WaitSlot reload_over_;
  std::vector<ListeningSockets::Socket> gone_;           // of the last change, not closed yet
  std::vector<std::weak_ptr<const proxy::Plan>> plans_;  // in use, or until lately
  WallTime started_ = 0, loaded_ = 0;
  std::uint64_t reloads_ok_ = 0, reloads_failed_ = 0;
  std::string not_renewed_;  // what of the keyring could not be made anew, once that was told
};

}  // namespace lockgate::server
