// Mailbox: how another thread has something done on this one.
//
// The one place of the loop with a lock. It is for what is rare: a new plan, a
// socket handed over, a place in a queue that has come free; never per event.
#pragma once
#include <functional>
#include <mutex>
#include <vector>

#include "base/fd.h"

namespace lockgate::loop {

using Letter = std::move_only_function<void()>;

class Mailbox {
 public:
  Mailbox();
  /// Any thread: `letter` will be called on the owner's thread, in order of posting.
  void post(Letter letter);
  /// Becomes readable when there are letters.
  int descriptor() const { return wake_.number(); }
  /// The owner's thread: calls all letters posted so far.
  void deliver();

 private:
  Fd wake_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

}  // namespace lockgate::loop
