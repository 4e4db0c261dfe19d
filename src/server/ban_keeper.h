// BanKeeper: what the process's thread does about bans. It reads what was kept when the
// process starts and keeps what changes, has the workers cut whoever is banned by now,
// tells the log and the kernel's packet filter, and obeys commands.
//
// It looks twice a second, whatever happens meanwhile: a flood of bans costs the same.
#pragma once
#include <expected>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "guard/ban_file.h"
#include "guard/ban_rules.h"
#include "loop/scope.h"
#include "proxy/plan.h"
#include "server/crew.h"
#include "server/nftables_sets.h"

namespace lockgate::server {

class BanKeeper {
 public:
  BanKeeper(loop::Reactor& reactor, Crew& crew, Journal& journal, guard::Bans& bans);

  /// Before the sandbox and the workers: reads what was kept, opens the packet filter.
  void start(const config::Config& config);
  /// Begins to look; behind start().
  void begin() { scope_.spawn(keep()); }
  /// A plan is in effect: whoever it excepts is banned no longer.
  void take_plan(std::shared_ptr<const proxy::Plan> plan);
  /// `lockgate ban`, `unban` or `bans`.
  nlohmann::json obey(const std::string& command, const nlohmann::json& request, const std::string& asker);
  /// Keeps everything, here and now; at the end.
  void save();

 private:
  guard::Clocks clocks() const { return {reactor_.now(), reactor_.wall()}; }
  const config::Bans& config() const { return plan_->config->bans; }
  loop::Task<void> keep();
  loop::Task<void> save_piecemeal();
  void read(const std::string& path);
  void look();
  void tell(const guard::BanNews& news);
  void publish();
  void told_of_file(const std::string& fault);

  loop::Reactor& reactor_;
  Crew& crew_;
  Journal& journal_;
  guard::Bans& bans_;
  std::shared_ptr<const proxy::Plan> plan_;
  std::string path_;  // of the file; empty: nothing is kept
  std::unique_ptr<NftablesSets> sets_;
  std::uint64_t seen_ = 0, saved_ = 0;  // changes
  Instant save_again_{};
  std::string file_fault_;  // once it was told
  loop::Scope scope_;
};

}  // namespace lockgate::server
