#include "proxy/endpoint.h"

#include <algorithm>

namespace lockgate::proxy {

std::string_view name_of(Administration administration) {
  switch (administration) {
    case Administration::enabled:
      return "enabled";
    case Administration::draining:
      return "draining";
    case Administration::disabled:
      return "disabled";
  }
  return "";
}

std::string_view authority_of(const Endpoint& endpoint) {
  std::string_view label = endpoint.label();
  if (label.starts_with("unix:")) return "localhost";  // a path is no host
  auto begin = label.find("://");
  return begin == label.npos ? label : label.substr(begin + 3);
}

void Endpoint::administer(Administration administration, Instant now) {
  bool back = administration == Administration::enabled && !takes_new();
  if (back) came_back(now);
  administration_.store(administration, std::memory_order_relaxed);
}

std::uint32_t Endpoint::share(Instant now, Duration slow_start) const {
  constexpr std::int64_t kLeast = kWhole / 20;  // so that there is something to get warm by
  if (slow_start <= Duration::zero()) return kWhole;
  std::int64_t since =
      std::max(back_since_.load(std::memory_order_relaxed), ejected_until_.load(std::memory_order_relaxed));
  if (since == 0 || now.nanoseconds - since >= slow_start.count()) return kWhole;
  std::int64_t passed = std::max<std::int64_t>(now.nanoseconds - since, 0);
  return static_cast<std::uint32_t>(
      std::max(kLeast, passed / std::max<std::int64_t>(slow_start.count() / kWhole, 1)));
}

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
  eject(now + ejection.time);
  return true;
}

bool Endpoint::answered(bool well, Instant now, const config::Ejection& ejection) {
  if (ejection.server_errors == 0) return false;
  if (well) {
    if (bad_answers_in_row_.load(std::memory_order_relaxed) != 0)
      bad_answers_in_row_.store(0, std::memory_order_relaxed);
    return false;
  }
  std::uint32_t in_row = bad_answers_in_row_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (in_row < ejection.server_errors) return false;
  bad_answers_in_row_.store(0, std::memory_order_relaxed);
  eject(now + ejection.time);
  return true;
}

}  // namespace lockgate::proxy
