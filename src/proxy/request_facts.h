// RequestFacts: everything that is known of one request and its answer, beside what is
// known of its connection. Logs, variables and rewriting ask here.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "proxy/facts.h"
#include "proxy/plan.h"
#include "proxy/route_table.h"

namespace lockgate::proxy {

struct RequestFacts {
  const Facts& connection;
  const ListenerPlan& listener;
  const SitePlan* site = nullptr;    // null: of no site
  const RoutePlan* route = nullptr;  // null: no route takes it

  // As the client has sent it, in the exchange's memory.
  std::string_view method, scheme, authority, host, target;
  std::string_view path, query;  // normalised, and as sent
  std::string_view referer, user_agent;
  std::string_view id;
  SocketAddress client = connection.client;           // whom the request is from; trusted proxies tell
  std::string_view client_address;                    // without port, where somebody has written it already
  std::string_view user;                              // who has signed in
  bool failed_sign_in = false;                        // the name or the password was wrong
  bool through_proxy = false;                         // a trusted one has told
  const guard::Published<guard::Geo>* geo = nullptr;  // where the client is; null: nobody knows
  std::size_t worker = 0;                             // whose thread this is
  std::uint8_t minor_version = 1;
  std::array<std::string_view, 10> captures{};  // of the route's regular expression

  Way way;
  std::shared_ptr<const Targets> targets;  // as they were; the resolver may forget one that is asked
  const Endpoint* endpoint = nullptr;      // of them, that was asked last
  bool reused = false;                     // over a connection that was open already
  std::string_view tries;                  // what became of each try, for the log
  AtEndpoint at, at_parent;                // where a tunnel leads to that the protocol was switched for
  std::uint16_t stale = 0;                 // connections from the pool that were of no use

  const WrittenPage* page = nullptr;  // that says why there is no other answer, before all for its status
  std::string_view sentence;          // that our own page says
  std::vector<wire::HeadField> owed;  // fields that the answer to an error must have (RFC 9110, 15.5)

  const guard::RateRule* excess = nullptr;  // of the plan: the rate that had no turn for it
  Duration delay{};                         // that it waited for its turn

  int status = 0;              // of the answer; 0: none was given
  std::optional<Error> error;  // why the answer is ours, or was broken off
  std::uint64_t bytes_up = 0, bytes_down = 0;
  WallTime begun_wall = 0;
  Instant begun{}, asked{}, answered{};
};

}  // namespace lockgate::proxy
