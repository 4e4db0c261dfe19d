#include "server/admin.h"

#include <unistd.h>

#include <array>

#include "base/name_pattern.h"
#include "server/metrics.h"
#include "server/status.h"

namespace lockgate::server {

using loop::Task;

namespace {

constexpr const char* kIndex =
    "This is Lockgate's admin address.\n"
    "/metrics  for Prometheus\n"
    "/status   everything as JSON\n"
    "/health   200 while serving, 503 while draining\n";

constexpr const char* kWrongHost =
    "The admin address answers to IP addresses, names without dots and the name of its machine, "
    "so that no web page can reach it under a name of its own.\n";

}  // namespace

Task<Page> AdminPages::page(const Visit& visit) {
  if (!answers_to(visit.host)) co_return Page{.status = 421, .body = kWrongHost};
  if (visit.path == "/") co_return Page{.body = kIndex};
  if (visit.path == "/health") co_return health();
  bool metrics = visit.path == "/metrics";
  if (!metrics && visit.path != "/status") co_return not_found();
  auto looking = observed_.overview();
  Overview overview = co_await looking;
  if (metrics) co_return Page{.body = metrics_text(overview), .content_type = kMetricsType};
  using Json = nlohmann::json;
  std::string status = status_json(overview).dump(2, ' ', false, Json::error_handler_t::replace);
  co_return Page{.body = status + "\n", .content_type = "application/json"};
}

bool AdminPages::answers_to(std::string_view host) const {
  return !host.contains('.') || is_ip_literal(host) || host == host_name_;
}

Page AdminPages::health() const {
  if (observed_.draining()) return {.status = 503, .body = "draining\n"};
  return {.body = "ok\n"};
}

std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "";
  return normalized_name(name.data()).value_or("");
}

}  // namespace lockgate::server
