// Runnable: something whose turn has come. The reactor's one queue holds them.
//
// Events, timers and finished tasks never run code of others on the spot; they
// enqueue a Runnable, and the reactor runs it once all events of the turn are
// told. So nothing is entered twice, and destroying anything at any time is safe:
// a Runnable leaves the queue when it is destroyed.
#pragma once
#include "base/list.h"

namespace lockgate::loop {

class Runnable : public ListNode {
 public:
  virtual void run() = 0;

 protected:
  ~Runnable() = default;
};

}  // namespace lockgate::loop
