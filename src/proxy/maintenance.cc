#include "proxy/maintenance.h"

#include <sys/stat.h>

#include <algorithm>

namespace lockgate::proxy {

bool Sign::is_up(Instant now) const {
  constexpr Duration kLookEvery = std::chrono::seconds(1);
  std::int64_t due = next_look_.load(std::memory_order_relaxed);
  bool looks = now.nanoseconds >= due && next_look_.compare_exchange_strong(
                                             due, (now + kLookEvery).nanoseconds, std::memory_order_relaxed);
  if (!looks) return up_.load(std::memory_order_relaxed);
  bool up = is_there();
  up_.store(up, std::memory_order_relaxed);
  return up;
}

bool Sign::is_there() const {
  struct stat told{};
  return path_ == config::Maintenance::kAlways || ::stat(path_.c_str(), &told) == 0;
}

bool Maintenance::holds_for(const SocketAddress& client, Instant now) const {
  if (!sign_ || !sign_->is_up(now)) return false;
  if (client.is_unix() || client.is_none()) return true;
  auto inside = [&](const Network& network) { return network.contains(client.ip()); };
  return std::ranges::none_of(config_->except, inside);
}

}  // namespace lockgate::proxy
