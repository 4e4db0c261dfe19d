// Turns: so many are at it at once, and the others wait until one of them has ended.
//
// One thread.
#pragma once
#include <cstddef>
#include <utility>

#include "loop/task.h"
#include "loop/wait.h"

namespace lockgate::loop {

class Turns {
 public:
  Turns(Reactor& reactor, std::size_t most) : reactor_(reactor), most_(most) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  /// Somebody's turn, until it ends; its Turns outlive it.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(&turns) { ++turns_->taken_; }
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { end(); }
    void end() {
      if (!turns_) return;
      --turns_->taken_;
      std::exchange(turns_, nullptr)->free_.wake();
    }

   private:
    Turns* turns_;
  };

  Task<Turn> take();

 private:
  Reactor& reactor_;
  std::size_t most_, taken_ = 0;
  WaitSlot free_;
};

}  // namespace lockgate::loop
