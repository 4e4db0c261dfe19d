#include "proxy/endpoint.h"

namespace lockgate::proxy {

void Endpoint::connect_succeeded() {
  successes_.fetch_add(1, std::memory_order_relaxed);
  if (failures_in_row_.load(std::memory_order_relaxed) != 0)
    failures_in_row_.store(0, std::memory_order_relaxed);
}

bool Endpoint::connect_failed(Instant now, const config::Ejection& ejection) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  std::uint32_t in_row = failures_in_row_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (ejection.failures == 0 || in_row < ejection.failures) return false;
  failures_in_row_.store(0, std::memory_order_relaxed);
  ejected_until_.store((now + ejection.time).nanoseconds, std::memory_order_relaxed);
  return true;
}

}  // namespace lockgate::proxy
