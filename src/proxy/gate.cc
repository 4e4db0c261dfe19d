#include "proxy/gate.h"

namespace lockgate::proxy {

bool Gate::enter(std::uint32_t limit) {
  std::uint32_t inside = inside_.load();
  while (limit == 0 || inside < limit) {
    if (inside_.compare_exchange_weak(inside, inside + 1)) return true;
  }
  return false;
}

void Gate::leave() {
  inside_.fetch_sub(1);
  if (waiting_.load() > 0) freed_();
}

}  // namespace lockgate::proxy
