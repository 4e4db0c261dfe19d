#include "loop/turns.h"

#include "loop/reactor.h"

namespace lockgate::loop {

Task<Turns::Turn> Turns::take() {
  // Whoever is woken may go before its turn comes; so nobody relies on that alone.
  constexpr Duration kLookAgain = std::chrono::seconds(1);
  while (taken_ >= most_) {
    Wait wait(reactor_, free_, reactor_.now() + kLookAgain);
    co_await wait;
  }
  co_return Turn(*this);
}

}  // namespace lockgate::loop
