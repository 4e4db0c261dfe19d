// Published: what the process's thread makes anew now and then, and every worker reads:
// users, lists of addresses. Each worker has a handle of its own, so that reading shares
// neither lock nor count; a letter changes it on the worker's own thread.
//
// It outlives reloads: whoever reads what the old plan knew reads the newest, too.
#pragma once
#include <cstddef>
#include <memory>
#include <vector>

namespace lockgate::guard {

template <class Value>
class Published {
 public:
  explicit Published(std::size_t workers) : slots_(workers) {}

  /// What `worker` reads; null as long as nothing was published. That worker's thread.
  const Value* at(std::size_t worker) const { return slots_[worker].value.get(); }
  /// That worker's thread, or any before the workers run.
  void take(std::size_t worker, std::shared_ptr<const Value> value) {
    slots_[worker].value = std::move(value);
  }
  std::size_t workers() const { return slots_.size(); }

 private:
  struct alignas(64) Slot {
    std::shared_ptr<const Value> value;
  };
  std::vector<Slot> slots_;
};

}  // namespace lockgate::guard
