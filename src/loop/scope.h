// Scope: owns the tasks that are started in it. Destroying it cancels them all.
//
// A task that ends is destroyed in its turn of the reactor's queue, not while it
// still stands on the stack. So a task may end its own scope's life only by a turn.
#pragma once
#include <utility>

#include "loop/reactor.h"
#include "loop/task.h"

namespace lockgate::loop {

class Scope {
 public:
  explicit Scope(Reactor& reactor) : reactor_(reactor) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() {
    while (Member* member = members_.pop_front()) delete member;
  }

  /// Starts `task` here and now; its frame must own or outlive all that it names.
  void spawn(Task<void> task) {
    auto* member = new Member(*this, std::move(task));
    members_.push_back(*member);
    member->start();
  }
  /// Cancels the task that was started first, if there is any; not to be called by one of them.
  void cancel_oldest() { delete members_.pop_front(); }
  /// Tasks that are not yet destroyed.
  std::size_t size() const { return size_; }

 private:
  class Member final : public ListNode, public Completion {
   public:
    Member(Scope& scope, Task<void> task) : scope_(scope), task_(std::move(task)), end_(*this) {
      ++scope_.size_;
    }
    ~Member() { --scope_.size_; }
    void start() { task_.start(this); }
    void task_ended() noexcept override { scope_.reactor_.enqueue(end_); }

   private:
    struct End final : Runnable {
      explicit End(Member& owner) : member(owner) {}
      void run() override { delete &member; }
      Member& member;
    };
    Scope& scope_;
    Task<void> task_;
    End end_;
  };

  Reactor& reactor_;
  List<Member> members_;
  std::size_t size_ = 0;
};

}  // namespace lockgate::loop
