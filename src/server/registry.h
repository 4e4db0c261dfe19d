// ProcessRegistry: what outlives a reload, found by what it is: tallies, gates and
// upstreams. The process's thread only; what it hands out is for any.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/keeper.h"
#include "proxy/plan.h"
#include "server/log_writer.h"

namespace lockgate::server {

class ProcessRegistry final : public proxy::Registry {
 public:
  /// `freed` is called on any thread when a place in a full gate has come free.
  ProcessRegistry(proxy::Keeper& keeper, const tls::Keyring& keyring, guard::Guardroom& guardroom,
                  LogWriter& logs, std::size_t workers, proxy::Gate::Freed freed);

  /// The configuration that the next plan is compiled from; for what an upstream inherits from it.
  void begin_plan(const config::Config& config) { name_servers_ = config.name_servers; }
  /// What that configuration and those after it take from the file system.
  void use(proxy::Shelf shelf) { shelf_ = std::move(shelf); }
  /// Forgets gates that no plan uses any more. Tallies stay: a counter that goes back confuses who reads it.
  void forget_unused();

  std::shared_ptr<proxy::Tally> tally(const std::string& listener, const std::string& site,
                                      const std::string& verdict) override;
  std::shared_ptr<proxy::RequestTally> request_tally(const std::string& listener, const std::string& site,
                                                     const std::string& route) override;
  std::shared_ptr<proxy::Gate> gate(const std::string& name, std::uint32_t limit) override;
  guard::Guardroom& guardroom() override { return guardroom_; }
  std::shared_ptr<const proxy::Upstream> upstream(const config::Upstream& config) override;
  tls::ServerSides server_sides(const config::Site& site) override { return keyring_.server_sides(site); }
  std::shared_ptr<const wire::Credentials> credentials(const config::Parent& parent) override {
    return keyring_.credentials(parent);
  }
  tls::ClientSides client_sides(const config::Upstream& upstream) override {
    return keyring_.client_sides(upstream);
  }
  std::uint16_t log_target(const config::LogTarget& target) override;
  const proxy::Shelf& shelf() const override { return shelf_; }

  std::vector<std::shared_ptr<const proxy::Tally>> tallies() const;
  std::vector<std::shared_ptr<const proxy::RequestTally>> request_tallies() const;
  const std::map<std::string, std::shared_ptr<proxy::Gate>>& gates() const { return gates_; }

 private:
  proxy::Keeper& keeper_;
  const tls::Keyring& keyring_;
  guard::Guardroom& guardroom_;
  LogWriter& logs_;
  std::size_t workers_;
  proxy::Gate::Freed freed_;
  std::vector<SocketAddress> name_servers_;
  proxy::Shelf shelf_;
  std::map<std::string, std::shared_ptr<proxy::Tally>> tallies_;
  std::map<std::string, std::shared_ptr<proxy::RequestTally>> request_tallies_;
  std::map<std::string, std::shared_ptr<proxy::Gate>> gates_;
};

}  // namespace lockgate::server
