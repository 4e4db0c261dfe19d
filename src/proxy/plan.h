// Plan: the configuration compiled for the data path. Immutable and shared by all
// workers; a reload makes a new one, and connections finish with the plan that they
// started with.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/name_pattern.h"
#include "config/config.h"
#include "guard/access.h"
#include "guard/ban_rules.h"
#include "guard/guardroom.h"
#include "guard/published.h"
#include "guard/users.h"
#include "proxy/gate.h"
#include "proxy/request_tally.h"
#include "proxy/route_table.h"
#include "proxy/shelf.h"
#include "proxy/tally.h"
#include "proxy/upstream.h"
#include "tls/keyring.h"
#include "wire/proxy_header.h"

namespace lockgate::proxy {

struct SitePlan {
  const config::Site* site;
  std::shared_ptr<Tally> tally;
  std::shared_ptr<Gate> gate;  // null: no limit
  std::uint16_t access_log = 0;
  std::uint16_t key_log = 0;
  tls::ServerSides server_sides;                  // of a site that terminates, by worker
  RouteTable routes;                              // of a site where requests are read
  std::shared_ptr<RequestTally> unrouted;         // its requests that no route took; null where none are read
  std::string alpn;                               // that it agrees to, as alpn_list() makes it
  bool carries_alpn = false;                      // the upstream is asked first, and its choice is the site's
  ErrorPages error_pages;                         // for its requests that no route took
  guard::Access access;                           // to what no route decides
  guard::AnyAccess by_name;                       // who is refused here, site and routes would all refuse
  std::shared_ptr<const guard::RateRules> rates;  // that hold here; null: none
};

/// One name of one site; the indexes of names hold numbers of these.
struct NamePlan {
  std::uint32_t site;   // number in ListenerPlan::sites
  std::string pattern;  // as the log writes it
};

struct ListenerPlan {
  const config::Listener* listener;
  std::shared_ptr<Tally> nobody;              // connections that no site took
  std::shared_ptr<RequestTally> misdirected;  // requests that no site took; null where none are read
  std::shared_ptr<Gate> gate;                 // null: no limit
  std::uint16_t access_log = 0;
  std::vector<SitePlan> sites;
  std::vector<NamePlan> names;
  NameIndex for_tls, for_plain;
  bool plain_by_name = false;                     // some plain site has a name, so the Host matters
  bool tells_destination = false;                 // some site sends a PROXY header
  ErrorPages error_pages;                         // for requests that no site took
  guard::AnyAccess at_accept;                     // who is refused here, all sites would refuse
  std::shared_ptr<const guard::RateRules> rates;  // that hold here; null: none
};

/// The addresses where this process listens, to recognise a connection that would come back to itself.
class OwnAddresses {
 public:
  OwnAddresses() = default;
  /// `local` are the machine's addresses, for listeners bound to all of them.
  OwnAddresses(std::vector<SocketAddress> bound, std::vector<Ip> local)
      : bound_(std::move(bound)), local_(std::move(local)) {}
  bool contains(const SocketAddress& address) const;

 private:
  std::vector<SocketAddress> bound_;
  std::vector<Ip> local_;
};

struct Plan {
  /// The listener of that name, or null.
  const ListenerPlan* listener(std::string_view name) const;

  std::shared_ptr<const config::Config> config;
  std::vector<ListenerPlan> listeners;                     // as in the config
  std::vector<std::shared_ptr<const Upstream>> upstreams;  // as in the config, and behind them its parents
  std::vector<tls::ClientSides> client_sides;              // of each upstream, by worker; empty without TLS
  std::vector<std::shared_ptr<const wire::Credentials>> credentials;  // of each parent
  std::shared_ptr<Gate> gate;                                         // the whole process
  guard::BanRules ban_rules;
  guard::Guardroom* guardroom = nullptr;  // of the process, which outlives all plans
  std::vector<std::string> patterns;      // regular expressions of all routes
  std::vector<std::string> user_fields;   // in which upstreams are told of users
  OwnAddresses own;
};

/// What a plan needs from the process: things that outlive reloads, found by what they are.
class Registry {
 public:
  virtual ~Registry() = default;
  virtual std::shared_ptr<Tally> tally(const std::string& listener, const std::string& site,
                                       const std::string& verdict) = 0;
  /// Of requests; an empty name stands for none.
  virtual std::shared_ptr<RequestTally> request_tally(const std::string& listener, const std::string& site,
                                                      const std::string& route) = 0;
  /// The gate of that name with its limit set; null for a limit of 0.
  virtual std::shared_ptr<Gate> gate(const std::string& name, std::uint32_t limit) = 0;
  virtual guard::Guardroom& guardroom() = 0;
  std::shared_ptr<const guard::Published<guard::Users>> users(const config::UserList& list) {
    return guardroom().rosters.published(list);
  }
  virtual std::shared_ptr<const Upstream> upstream(const config::Upstream& config) = 0;
  virtual tls::ServerSides server_sides(const config::Site& site) = 0;
  virtual std::shared_ptr<const wire::Credentials> credentials(const config::Parent& parent) = 0;
  virtual tls::ClientSides client_sides(const config::Upstream& upstream) = 0;
  virtual std::uint16_t log_target(const config::LogTarget& target) = 0;
  /// What the configuration takes from the file system.
  virtual const Shelf& shelf() const = 0;
};

/// Compiles a configuration that parse() has accepted.
std::shared_ptr<const Plan> compile(std::shared_ptr<const config::Config> config, OwnAddresses own,
                                    Registry& registry);

/// The version of the PROXY header that `site` sends; none if it sends none.
std::optional<wire::ProxyVersion> header_version(const config::Site& site);

/// Gives each of `views`, which are those of the plan's upstreams, what the plan has for it and `thread`.
void equip(std::span<const std::shared_ptr<UpstreamView>> views, const Plan& plan, std::size_t thread);

/// A plan with one worker's views of its upstreams.
struct WorkerPlan {
  std::shared_ptr<const Plan> plan;
  std::vector<std::shared_ptr<UpstreamView>> upstreams;  // as in the plan
  std::vector<Regex> regexes;  // as its patterns: threads that share one share a lock
};

}  // namespace lockgate::proxy
