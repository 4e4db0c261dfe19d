// Queue: who waits for a place at an endpoint of an upstream, first come first served.
//
// One per upstream and worker. Whoever leaves an endpoint on any worker wakes it, and it
// lets in whom it can: one that waits for a certain endpoint holds up nobody else.
// One thread.
#pragma once
#include <deque>
#include <memory>
#include <vector>

#include "base/list.h"
#include "loop/scope.h"
#include "loop/wait.h"
#include "proxy/endpoint.h"

namespace lockgate::proxy {

class Queue {
 public:
  /// Somebody who waits; it leaves the queue when it is destroyed.
  class Waiter : public ListNode {
   public:
    Waiter() = default;
    /// Takes a place, if there is one for it now.
    virtual bool take_place() = 0;
    /// Whether there may be a place for others where there is none for this one.
    virtual bool is_choosy() const = 0;

    bool let_in() const { return let_in_; }
    loop::WaitSlot& called() { return called_; }

   protected:
    ~Waiter();

   private:
    friend class Queue;
    Queue* queue_ = nullptr;
    bool let_in_ = false;
    loop::WaitSlot called_;
  };

  /// `place_freed` is woken when a place has come free anywhere.
  Queue(loop::Reactor& reactor, loop::WaitSlot& place_freed)
      : reactor_(reactor), place_freed_(place_freed), scope_(reactor) {}

  /// The end of the queue, for a place at one of `targets`; whoever can be let in is let in at once.
  void join(Waiter& waiter, const std::shared_ptr<const Targets>& targets);
  bool empty() const { return waiting_.empty(); }

 private:
  void watch(const std::shared_ptr<const Targets>& targets);
  void let_in();
  loop::Task<void> serve();
  void left();

  loop::Reactor& reactor_;
  loop::WaitSlot& place_freed_;
  List<Waiter> waiting_;
  std::vector<std::shared_ptr<const Targets>> watched_;  // whose places are waited for
  std::deque<Waiting> marks_;                            // at their gates
  bool served_ = false;
  loop::Scope scope_;
};

}  // namespace lockgate::proxy
