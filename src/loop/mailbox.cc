#include "loop/mailbox.h"

#include <sys/eventfd.h>

#include "base/check.h"

namespace lockgate::loop {

Mailbox::Mailbox() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(wake_); }

void Mailbox::post(Letter letter) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = letters_.empty();
    letters_.push_back(std::move(letter));
  }
  if (first) eventfd_write(wake_.number(), 1);
}

void Mailbox::deliver() {
  eventfd_t count = 0;
  eventfd_read(wake_.number(), &count);
  std::vector<Letter> letters;
  {
    std::lock_guard lock(mutex_);
    letters.swap(letters_);
  }
  for (Letter& letter : letters) letter();
}

}  // namespace lockgate::loop
