// Passwords: whether somebody's password is the one that is stored, found out off the event
// loop. Checking one is made to take long, so it is done by few threads of the lowest
// priority, and answers are remembered for a while by each worker.
//
// Whoever is unknown costs what somebody known costs, in the same places, so that nobody can
// tell who is there. Belongs to the process; checks are asked for on the workers' threads.
#pragma once
#include <cstdint>
#include <string_view>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/keyed_hash.h"
#include "base/password_hash.h"
#include "guard/answer_cache.h"
#include "guard/password_queue.h"
#include "guard/published.h"
#include "guard/users.h"
#include "loop/task.h"

namespace lockgate::guard {

class Passwords {
 public:
  using Verify = PasswordMatch(std::string_view password, std::string_view hash);
  /// How long answers are remembered after a full check. The stored hash is part of the question: with a
  /// new one in the file nothing is remembered.
  static constexpr Duration kRightFor = std::chrono::minutes(10);
  static constexpr Duration kWrongFor = std::chrono::minutes(1);
  /// How long a check may wait for its turn before it is told to come back later.
  static constexpr Duration kPatience = std::chrono::seconds(10);

  explicit Passwords(std::size_t workers, Verify* verify = verify_password);
  ~Passwords() { stop(); }

  /// Starts the threads. Before the sandbox, in which none could lower its priority.
  void start();
  /// Waits for the checks under way; all later ones are busy. Before the workers' reactors go.
  void stop();

  /// What `users` say once it is answered, whoever was taken out meanwhile. `busy`: too many wait already, or
  /// for too long, or it cannot be found out now. All that is given outlives the task; one that is destroyed
  /// gives its place back. What is remembered neither waits nor allocates.
  loop::Task<PasswordVerdict> check(loop::Reactor& reactor, std::size_t worker, const Published<Users>& users,
                                    std::string_view name, std::string_view password, const Ip& client);

  /// Has `work` done with a new password in the same places, for it takes as long as a check. False: there
  /// was none, or not for long enough; the work may be done later nevertheless, and must own what it uses.
  loop::Task<bool> work_on(loop::Reactor& reactor, std::string_view password, const Ip& client,
                           PasswordWork work);

  /// Checks on this thread what is next; false if nothing waits.
  bool check_next();
  /// Full checks so far.
  std::uint64_t checks() const { return checks_; }

 private:
  struct alignas(64) Remembered {
    AnswerCache right{1 << 13}, wrong{1 << 13};
  };

  Digest digest_of(bool known, std::string_view name, std::string_view hash, std::string_view password) const;
  void work();
  void answer(const PasswordQuestion& question);

  Verify* verify_;
  HashSecret keys_[2]{};
  std::vector<Remembered> remembered_;  // by worker
  PasswordQueue queue_;
  std::atomic<std::uint64_t> checks_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace lockgate::guard
