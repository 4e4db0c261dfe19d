#include "guard/passwords.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <latch>
#include <span>

#include "base/digest.h"

namespace lockgate::guard {

using loop::Task;

namespace {

constexpr int kLowestPriority = 19;

// The place of one task in the queue, as long as the task lives.
class Asking {
 public:
  explicit Asking(loop::Reactor& reactor) : asker_(std::make_shared<PasswordAsker>(reactor)) {}
  Asking(Asking&&) = delete;
  ~Asking() { asker_->gone = true; }
  const std::shared_ptr<PasswordAsker>& asker() const { return asker_; }

 private:
  std::shared_ptr<PasswordAsker> asker_;
};

// A check that fails says nothing of who asked: it is neither remembered nor a failed sign-in.
PasswordVerdict verdict_of(PasswordMatch match, bool known) {
  if (match == PasswordMatch::unknown) return PasswordVerdict::busy;
  return known && match == PasswordMatch::yes ? PasswordVerdict::right : PasswordVerdict::wrong;
}

}  // namespace

Passwords::Passwords(std::size_t workers, Verify* verify) : verify_(verify), remembered_(workers) {
  random_bytes(std::as_writable_bytes(std::span(keys_)));
}

void Passwords::start() {
  std::size_t count = std::max(1u, std::thread::hardware_concurrency() / 2);
  std::latch begun(static_cast<std::ptrdiff_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([this, &begun] {
      (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowestPriority);
      pthread_setname_np(::pthread_self(), "lockgate-passwd");
      begun.count_down();
      work();
    });
  }
  begun.wait();
}

void Passwords::stop() {
  queue_.close();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// What was found out is remembered, and looked up again: of users that have changed meanwhile it is not.
Task<PasswordVerdict> Passwords::check(loop::Reactor& reactor, std::size_t worker,
                                       const Published<Users>& users, std::string_view name,
                                       std::string_view password, const Ip& client) {
  Remembered& remembered = remembered_[worker];
  for (;;) {
    const Users* known = users.at(worker);
    if (!known) co_return PasswordVerdict::busy;
    if (known->size() == 0) co_return PasswordVerdict::wrong;
    auto stored = known->hash_of(name);
    std::string_view hash = stored ? *stored : known->hash_instead(name, keys_[0]);
    Digest question = digest_of(stored.has_value(), name, hash, password);
    if (remembered.right.has(question, reactor.now())) co_return PasswordVerdict::right;
    if (remembered.wrong.has(question, reactor.now())) co_return PasswordVerdict::wrong;

    Asking asking(reactor);
    PasswordAsker& asker = *asking.asker();
    bool taken = queue_.add({.digest = question,
                             .name = keyed_hash(keys_[0], name),
                             .password = Secret(password.substr(0, kLongestPassword + 1)),
                             .hash = std::string(hash),
                             .known = stored.has_value(),
                             .work = {},
                             .client = client,
                             .askers = {asking.asker()}},
                            reactor.now());
    if (!taken) co_return PasswordVerdict::busy;
    loop::Wait wait(reactor, asker.answered, reactor.now() + kPatience);
    co_await wait;
    if (asker.verdict == PasswordVerdict::busy) co_return PasswordVerdict::busy;
    if (asker.verdict == PasswordVerdict::right) remembered.right.keep(question, reactor.now() + kRightFor);
    if (asker.verdict == PasswordVerdict::wrong) remembered.wrong.keep(question, reactor.now() + kWrongFor);
  }
}

Task<bool> Passwords::work_on(loop::Reactor& reactor, std::string_view password, const Ip& client,
                              PasswordWork work) {
  Asking asking(reactor);
  Digest question{};  // which nobody else asks
  random_bytes(std::as_writable_bytes(std::span(question)));
  bool taken = queue_.add({.digest = question,
                           .password = Secret(password),
                           .hash = {},
                           .work = std::move(work),
                           .client = client,
                           .askers = {asking.asker()}},
                          reactor.now());
  if (!taken) co_return false;
  loop::Wait wait(reactor, asking.asker()->answered, reactor.now() + kPatience);
  co_await wait;
  co_return asking.asker()->verdict == PasswordVerdict::right;
}

bool Passwords::check_next() {
  auto question = queue_.take_now();
  if (question) answer(*question);
  return question != nullptr;
}

void Passwords::work() {
  while (auto question = queue_.take()) answer(*question);
}

void Passwords::answer(const PasswordQuestion& question) {
  if (question.work) {
    question.work(question.password.text());
    return queue_.answer(question, PasswordVerdict::right);
  }
  PasswordMatch match = verify_(question.password.text(), question.hash);
  ++checks_;
  queue_.answer(question, verdict_of(match, question.known));
}

// Each part is hashed by itself, so that none runs into the next one.
Digest Passwords::digest_of(bool known, std::string_view name, std::string_view hash,
                            std::string_view password) const {
  std::array<std::uint64_t, 7> parts{known};
  auto part = parts.begin();
  for (std::string_view text : {name, hash, password}) {
    for (const HashSecret& key : keys_) *++part = keyed_hash(key, text);
  }
  std::string_view all(reinterpret_cast<const char*>(parts.data()), sizeof(parts));
  return {keyed_hash(keys_[0], all), keyed_hash(keys_[1], all)};
}

}  // namespace lockgate::guard
