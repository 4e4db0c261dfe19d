#include "guard/access.h"

#include <algorithm>

namespace lockgate::guard {

Admission Access::admission(const Ip& ip, std::size_t worker) const {
  if (!has_allow_ && !has_deny_) return Admission::open;
  if (has_allow_ && allow_.contains(ip, worker)) return Admission::allowed;
  if (!has_deny_) return Admission::not_allowed;
  return deny_.contains(ip, worker) ? Admission::denied : Admission::not_denied;
}

// Many different ones hardly ever agree, and would only be asked twice.
void AnyAccess::add(const config::Access& config, const AddressBook& book) {
  constexpr std::size_t kMost = 4;
  if (open_ || std::ranges::find(seen_, config) != seen_.end()) return;
  open_ = config.empty() || seen_.size() == kMost;
  if (open_) return all_.clear();
  seen_.push_back(config);
  all_.emplace_back(config, book);
}

}  // namespace lockgate::guard
