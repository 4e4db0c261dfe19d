// PasswordQueue: passwords that wait to be checked. Bounded and fair: a client (of IPv6, a
// /64) has at most two places, and who has asked least lately without being right goes first,
// the newest of several; where all places are taken, who has asked most gives way.
//
// So a flood of guesses is behind whoever did not take part in it: each of its sources has asked
// before, and what is left of its first questions is older. Nobody goes first for being known.
//
// The same question asked by several is checked once, as browsers ask it that open several
// connections at a time. Any thread, with a lock; whoever asks is told on its own thread.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "guard/answer_cache.h"
#include "guard/source_heat.h"
#include "loop/wait.h"

namespace lockgate::guard {

enum class PasswordVerdict : std::uint8_t { right, wrong, busy };

/// One task that waits for an answer.
struct PasswordAsker {
  explicit PasswordAsker(loop::Reactor& its) : reactor(its) {}
  /// Has the task go on, on its own thread. Any thread, as long as the reactor lives.
  static void tell(const std::shared_ptr<PasswordAsker>& asker, PasswordVerdict verdict);

  loop::Reactor& reactor;
  loop::WaitSlot answered;
  PasswordVerdict verdict = PasswordVerdict::busy;  // until it is answered
  std::atomic<bool> gone = false;                   // nobody waits any more
};

/// Done with a password by one of the threads that check them.
using PasswordWork = std::function<void(std::string_view password)>;

struct PasswordQuestion {
  Digest digest{};
  std::uint64_t name = 0;  // of the user, hashed
  Secret password;
  std::string hash;
  bool known = false;  // the user; else the hash is somebody else's
  PasswordWork work;   // instead of a check; empty: there is a check
  Ip client;
  HeatPlace source{};  // which the queue finds
  std::vector<std::shared_ptr<PasswordAsker>> askers;
};

class PasswordQueue {
 public:
  static constexpr std::size_t kPlaces = 256;
  static constexpr std::size_t kPlacesOfClient = 2;
  static constexpr std::size_t kAskersOfQuestion = 256;

  /// False: there is no place for it.
  bool add(PasswordQuestion question, Instant now);
  /// Waits for the next one to be checked; null once it is closed.
  std::shared_ptr<const PasswordQuestion> take();
  /// The same without waiting; null if there is none.
  std::shared_ptr<const PasswordQuestion> take_now();
  /// Tells all who have asked.
  void answer(const PasswordQuestion& question, PasswordVerdict verdict);
  /// Nothing is added or taken any more.
  void close();
  /// Questions that wait.
  std::size_t size() const;

 private:
  using Question = std::shared_ptr<PasswordQuestion>;
  using Askers = std::vector<std::shared_ptr<PasswordAsker>>;

  // All with the lock.
  /// The same question, which waits or is being checked; null if there is none.
  PasswordQuestion* same_as(const PasswordQuestion& question);
  bool has_its_places(const Ip& client) const;
  static bool join(PasswordQuestion& same, PasswordQuestion& question);
  void drop_abandoned();
  /// Of the place taken, if somebody gives way; they are to be told.
  std::optional<Askers> make_room(unsigned heat);
  std::shared_ptr<const PasswordQuestion> take_coldest();
  unsigned heat_of(const Question& question) const { return heat_.at(question->source); }

  mutable std::mutex mutex_;
  std::condition_variable added_;
  bool closed_ = false;
  std::vector<Question> waiting_;  // in the order of their coming
  std::vector<Question> checked_;  // by somebody, now
  SourceHeat heat_;
};

}  // namespace lockgate::guard
