// Reverse: the reverse proxy of one connection. For each of its requests it finds the
// site and the route, has it answered accordingly, and writes its line.
//
// Owned by the connection, on its worker's thread. Requests follow the newest plan.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "guard/requirement.h"
#include "http/exchange.h"
#include "proxy/facts.h"
#include "proxy/house.h"
#include "proxy/plan.h"
#include "proxy/request_facts.h"

namespace lockgate::proxy {

class Reverse final : public http::Service {
 public:
  /// `facts`, `house` and `newest`, which is looked at for each request, outlive this.
  Reverse(House& house, const Facts& facts, std::shared_ptr<WorkerPlan> plan, const ListenerPlan& listener,
          const SitePlan& site, const std::shared_ptr<WorkerPlan>& newest)
      : house_(house),
        facts_(facts),
        plan_(std::move(plan)),
        listener_(&listener),
        site_(&site),
        newest_(newest),
        client_address_(facts.client.is_unix() ? "" : facts.client.ip().text()) {}

  loop::Task<void> serve(http::Exchange& exchange) override;
  loop::Task<void> refuse(http::Exchange& exchange, const Error& why) override;

  /// Whom the last request was from.
  const SocketAddress& client() const { return client_; }
  /// Requests that were answered or refused so far.
  std::uint64_t requests() const { return requests_; }

  /// Where a connection leads to that was switched to another protocol, and the parent on its way.
  AtEndpoint take_endpoint() { return std::move(at_); }
  AtEndpoint take_parent() { return std::move(at_parent_); }

 private:
  class Visit;

  bool take_newest_plan();

  House& house_;
  const Facts& facts_;
  std::shared_ptr<WorkerPlan> plan_;
  const ListenerPlan* listener_;
  const SitePlan* site_;  // that the connection was taken for
  const std::shared_ptr<WorkerPlan>& newest_;
  std::string client_address_;  // without port; empty of a Unix socket
  SocketAddress client_;
  std::uint64_t requests_ = 0;
  std::optional<guard::ShownCertificate> shown_;  // of the client, once a rule has asked for it
  AtEndpoint at_, at_parent_;                     // of a tunnel
};

}  // namespace lockgate::proxy
