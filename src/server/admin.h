// AdminPages: what the admin address serves: /metrics, /status and /health.
//
// It changes nothing and asks for no password, so the address is for this machine or a
// guarded network. A web page of a stranger must not read it by pointing a name of his
// at it (DNS rebinding): so it answers only where the Host is an IP address, a name
// without dots, this machine's own host name, or absent as in HTTP/1.0.
#pragma once
#include "server/http_server.h"
#include "server/overview.h"

namespace lockgate::server {

class AdminPages final : public Pages {
 public:
  /// `observed` outlives the pages; `host_name` is this machine's.
  AdminPages(Observed& observed, std::string host_name)
      : observed_(observed), host_name_(std::move(host_name)) {}

  loop::Task<Page> page(const Visit& visit) override;

 private:
  bool answers_to(std::string_view host) const;
  Page health() const;

  Observed& observed_;
  std::string host_name_;
};

/// What gethostname(2) gives, as AdminPages wants it.
std::string machine_name();

}  // namespace lockgate::server
