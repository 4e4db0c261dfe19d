// Gate: a limit on how many may be inside at once, kept for the whole process.
//
// Workers count in and out with one atomic each. Whoever finds it full may ask to be
// told: then each leave() calls the process's `freed`, which wakes all workers; that
// happens only while somebody waits.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace lockgate::proxy {

class Gate {
 public:
  /// Called on the leaving thread.
  using Freed = std::function<void()>;

  /// A limit of 0 lets everybody in.
  Gate(std::uint32_t limit, Freed freed) : limit_(limit), freed_(std::move(freed)) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Counts one in, unless it is full.
  bool enter() { return enter(limit()); }
  /// The same for whoever has a limit of his own.
  bool enter(std::uint32_t limit);
  void leave();

  std::uint32_t inside() const { return inside_.load(std::memory_order_relaxed); }
  std::uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
  void set_limit(std::uint32_t limit) { limit_.store(limit, std::memory_order_relaxed); }

 private:
  friend class Waiting;
  std::atomic<std::uint32_t> limit_;
  std::atomic<std::uint32_t> inside_ = 0;
  std::atomic<std::uint32_t> waiting_ = 0;
  Freed freed_;
};

/// A place inside a gate, given back when it is destroyed. The gate outlives it.
class Place {
 public:
  Place() = default;
  /// Takes over a successful enter().
  explicit Place(Gate& gate) : gate_(&gate) {}
  Place(Place&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  Place& operator=(Place&& other) noexcept {
    std::swap(gate_, other.gate_);
    return *this;
  }
  ~Place() {
    if (gate_) gate_->leave();
  }

 private:
  Gate* gate_ = nullptr;
};

/// While one lives, leave() tells that a place may be free. Make it before the enter() whose failure it is to
/// outwait, so that no leave goes untold.
class Waiting {
 public:
  explicit Waiting(Gate& gate) : gate_(gate) { gate_.waiting_.fetch_add(1); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { gate_.waiting_.fetch_sub(1); }

 private:
  Gate& gate_;
};

}  // namespace lockgate::proxy
