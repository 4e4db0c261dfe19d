#include "guard/passwords.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "base/password_hash.h"
#include "loop/scope.h"

namespace lockgate::guard {
namespace {

using enum PasswordVerdict;
using namespace std::chrono_literals;

std::string hash_of(std::string_view password) {
  return *make_password_hash(PasswordScheme::sha256, 1000, password);
}
std::shared_ptr<const Users> made_users(std::string_view text) {
  return std::make_shared<Users>(*wire::UserFile::read(text));
}
Ip ip(std::string_view text) { return *Ip::parse(text); }

loop::Task<void> ask(Passwords& passwords, loop::Reactor& reactor, std::size_t worker,
                     const Published<Users>& users, std::string name, std::string password, Ip client,
                     std::optional<PasswordVerdict>& verdict) {
  auto checking = passwords.check(reactor, worker, users, name, password, client);
  verdict = co_await checking;
}

// What the C library says while there is no memory.
bool g_in_need = false;
PasswordMatch verify_unless_in_need(std::string_view password, std::string_view hash) {
  return g_in_need ? PasswordMatch::unknown : verify_password(password, hash);
}

// One worker, whose clock the test turns; nothing is checked before the test says so.
class Checking : public testing::Test {
 protected:
  Checking() { know(fmt::format("alice:{}\nbob:{}\n", hash_of("secret"), hash_of("hidden"))); }
  void know(std::string_view text) { users_.take(0, made_users(text)); }

  using Verdict = std::optional<PasswordVerdict>;

  void start(Verdict& verdict, std::string name, std::string password,
             std::string_view client = "192.0.2.1") {
    scope_.spawn(
        ask(passwords_, reactor_, 0, users_, std::move(name), std::move(password), ip(client), verdict));
  }
  void settle() {
    for (int i = 0; i < 4; ++i) reactor_.turn(Duration::zero());
  }
  void check_all() {
    while (passwords_.check_next()) continue;
    settle();
  }
  PasswordVerdict answer(std::string name, std::string password, std::string_view client = "192.0.2.1") {
    Verdict verdict;
    start(verdict, std::move(name), std::move(password), client);
    check_all();
    return verdict.value();
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Published<Users> users_{1};
  Passwords passwords_{1, verify_unless_in_need};
  loop::Scope scope_{reactor_};
};

TEST_F(Checking, TellsRightFromWrong) {
  EXPECT_EQ(answer("alice", "secret"), right);
  EXPECT_EQ(answer("alice", "hidden"), wrong);
  EXPECT_EQ(answer("bob", "hidden"), right);
  EXPECT_EQ(answer("carol", "secret"), wrong);
  EXPECT_EQ(answer("carol", "hidden"), wrong);
  EXPECT_EQ(answer("", ""), wrong);
  EXPECT_EQ(answer("alice", std::string(100'000, 'x')), wrong);
}

TEST_F(Checking, RemembersARightAnswerForTenMinutes) {
  EXPECT_EQ(answer("alice", "secret"), right);
  Verdict at_once;
  start(at_once, "alice", "secret");
  EXPECT_EQ(at_once, right);  // without a turn of the loop
  EXPECT_EQ(passwords_.checks(), 1u);
  clock_.advance(Passwords::kRightFor);
  settle();
  EXPECT_EQ(answer("alice", "secret"), right);
  EXPECT_EQ(passwords_.checks(), 2u);
}

TEST_F(Checking, RemembersAWrongAnswerForAMinute) {
  EXPECT_EQ(answer("alice", "guess"), wrong);
  EXPECT_EQ(answer("alice", "guess"), wrong);
  EXPECT_EQ(passwords_.checks(), 1u);
  clock_.advance(Passwords::kWrongFor);
  settle();
  EXPECT_EQ(answer("alice", "guess"), wrong);
  EXPECT_EQ(passwords_.checks(), 2u);
}

TEST_F(Checking, RemembersNothingOfAHashThatHasChanged) {
  EXPECT_EQ(answer("alice", "secret"), right);
  EXPECT_EQ(answer("alice", "newer"), wrong);
  know(fmt::format("alice:{}\n", hash_of("newer")));
  EXPECT_EQ(answer("alice", "secret"), wrong);
  EXPECT_EQ(answer("alice", "newer"), right);
}

// For somebody unknown as for somebody known.
TEST_F(Checking, ThatFailsIsBusyAndNotRemembered) {
  for (const char* name : {"alice", "nobody"}) {
    g_in_need = true;
    EXPECT_EQ(answer(name, "secret"), busy);
    EXPECT_EQ(answer(name, "secret"), busy);
    g_in_need = false;
    EXPECT_EQ(answer(name, "secret"), name == std::string_view("alice") ? right : wrong);
  }
  EXPECT_EQ(passwords_.checks(), 6u);
}

TEST_F(Checking, GoesByTheUsersThatThereAreWhenItIsDone) {
  Verdict gone, changed, stays;
  start(gone, "alice", "secret", "192.0.2.1");
  start(changed, "bob", "hidden", "192.0.2.2");
  know(fmt::format("bob:{}\ncarol:{}\n", hash_of("newer"), hash_of("other")));
  start(stays, "carol", "other", "192.0.2.3");
  check_all();
  check_all();
  EXPECT_EQ(gone, wrong);
  EXPECT_EQ(changed, wrong);
  EXPECT_EQ(stays, right);
  EXPECT_EQ(answer("bob", "newer"), right);
}

// As many checks, of the same schemes, in the same places.
TEST_F(Checking, CostsForSomebodyUnknownWhatItCostsForSomebodyKnown) {
  for (int i = 0; i < 10; ++i) {
    auto before = passwords_.checks();
    EXPECT_EQ(answer(fmt::format("nobody{}", i), "guess"), wrong);
    EXPECT_EQ(answer(fmt::format("nobody{}", i), "guess"), wrong);
    EXPECT_EQ(passwords_.checks(), before + 1);
  }
  Verdict verdicts[4];
  start(verdicts[0], "alice", "1");
  start(verdicts[1], "nobody", "2");
  start(verdicts[2], "nobody", "3");
  start(verdicts[3], "alice", "4");
  EXPECT_EQ(verdicts[2], busy);
  EXPECT_EQ(verdicts[3], busy);
  check_all();
  EXPECT_EQ(verdicts[1], wrong);
}

// Behind a Unix socket, or a proxy that names nobody, all are without an address.
TEST_F(Checking, DoesNotTakeThoseWithoutAnAddressForOneClient) {
  Verdict verdicts[4];
  for (int i = 0; i < 4; ++i)
    scope_.spawn(ask(passwords_, reactor_, 0, users_, "alice", std::to_string(i), Ip(), verdicts[i]));
  check_all();
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict, wrong);
}

TEST_F(Checking, GivesSomebodyUnknownAlwaysTheSameHash) {
  HashSecret key{1, 2}, other{3, 4};
  EXPECT_EQ(users_.at(0)->hash_instead("nobody", key), users_.at(0)->hash_instead("nobody", key));
  bool depends_on_name = false, depends_on_key = false;
  for (int i = 0; i < 64; ++i) {
    auto name = std::to_string(i);
    depends_on_name |= users_.at(0)->hash_instead(name, key) != users_.at(0)->hash_instead("0", key);
    depends_on_key |= users_.at(0)->hash_instead(name, key) != users_.at(0)->hash_instead(name, other);
  }
  EXPECT_TRUE(depends_on_name);
  EXPECT_TRUE(depends_on_key);
}

// The hash of somebody else is right for a user who is not there, and still it is wrong, now and later.
TEST_F(Checking, LetsNobodyInWithThePasswordOfTheHashThatStandsForAllWhoAreUnknown) {
  know(fmt::format("alice:{}\n", hash_of("secret")));
  EXPECT_EQ(answer("nobody", "secret"), wrong);
  EXPECT_EQ(answer("nobody", "secret"), wrong);
  EXPECT_EQ(answer("alice", "secret"), right);
  EXPECT_EQ(answer("nobody", "secret"), wrong);
}

TEST_F(Checking, FindsNobodyInAnEmptyFile) {
  know("");
  EXPECT_EQ(answer("alice", "secret"), wrong);
  EXPECT_EQ(passwords_.checks(), 0u);
}

// A browser opens six connections, and asks on all of them.
TEST_F(Checking, AsksOnceWhatSeveralAskAtATime) {
  Verdict verdicts[6];
  for (Verdict& verdict : verdicts) start(verdict, "alice", "secret");
  check_all();
  for (Verdict& verdict : verdicts) EXPECT_EQ(verdict, right);
  EXPECT_EQ(passwords_.checks(), 1u);
}

TEST_F(Checking, IsBusyForMoreWhoAskTheSameThanThereShouldBe) {
  std::vector<Verdict> verdicts(PasswordQueue::kAskersOfQuestion + 1);
  for (Verdict& verdict : verdicts) start(verdict, "alice", "secret");
  EXPECT_EQ(verdicts.back(), busy);
  scope_.cancel_oldest();
  Verdict more;
  start(more, "alice", "secret");
  check_all();
  EXPECT_EQ(more, right);
}

TEST_F(Checking, IsBusyForAClientWithTwoWaitingAndNotForOthers) {
  Verdict one, two, three, other;
  start(one, "alice", "1", "2001:db8::1");
  start(two, "alice", "2", "2001:db8::2");
  start(three, "alice", "3", "2001:db8::ffff:3");
  start(other, "alice", "secret", "2001:db8:0:1::1");
  EXPECT_EQ(three, busy);
  EXPECT_FALSE(other);
  check_all();
  EXPECT_EQ(one, wrong);
  EXPECT_EQ(two, wrong);
  EXPECT_EQ(other, right);
}

TEST_F(Checking, LosesPatience) {
  Verdict verdict;
  start(verdict, "alice", "secret");
  clock_.advance(Passwords::kPatience + 1s);
  settle();
  EXPECT_EQ(verdict, busy);
  check_all();
  EXPECT_EQ(passwords_.checks(), 0u);  // nobody waits for it any more
}

TEST_F(Checking, IsSkippedForWhomHasGone) {
  Verdict gone, stays;
  start(gone, "alice", "1");
  start(stays, "alice", "secret", "192.0.2.2");
  scope_.cancel_oldest();
  check_all();
  EXPECT_FALSE(gone);
  EXPECT_EQ(stays, right);
  EXPECT_EQ(passwords_.checks(), 1u);
}

TEST_F(Checking, IsBusyOnceItHasStopped) {
  passwords_.stop();
  EXPECT_EQ(answer("alice", "secret"), busy);
}

// 256 places: whoever comes for the first time gets one of who has been wrong before.
TEST_F(Checking, LetsANewcomerGoBeforeThoseWhoGuess) {
  auto guesser = [](int number) { return fmt::format("198.51.{}.{}", number / 256, number % 256); };
  constexpr int kMany = static_cast<int>(PasswordQueue::kPlaces);
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(answer("alice", fmt::format("guess {}", i), guesser(i)), wrong);
  std::vector<Verdict> guesses(kMany);
  for (int i = 0; i < kMany; ++i)
    start(guesses[static_cast<std::size_t>(i)], "alice", fmt::format("again {}", i), guesser(i));
  EXPECT_EQ(std::ranges::count(guesses, Verdict()), kMany);
  Verdict newcomer;
  start(newcomer, "alice", "secret");
  EXPECT_FALSE(newcomer);
  EXPECT_TRUE(passwords_.check_next());
  settle();
  EXPECT_EQ(newcomer, right);  // it was the next one
  EXPECT_EQ(std::ranges::count(guesses, Verdict(busy)), 1);
  check_all();
  EXPECT_EQ(std::ranges::count(guesses, Verdict(wrong)), kMany - 1);
}

// Guesses of many sources, each another; whoever has no answer yet asks no further.
class Flood : public Checking {
 protected:
  static constexpr std::size_t kSources = 600, kPerCheck = 30;

  /// What comes in the time that one check takes, and the check.
  void go_on(std::size_t checks) {
    while (checks-- > 0) {
      for (std::size_t i = 0; i < kPerCheck; ++i) guess();
      passwords_.check_next();
      clock_.advance(60ms);
      settle();
    }
  }
  /// How many checks go by until the right password is taken.
  int checks_until_right(std::string_view client) {
    Verdict mine;
    if (client.empty())
      scope_.spawn(ask(passwords_, reactor_, 0, users_, "bob", "hidden", Ip(), mine));
    else
      start(mine, "alice", "secret", client);
    int checks = 0;
    for (; !mine; ++checks) go_on(1);
    EXPECT_EQ(*mine, right) << checks;
    return checks;
  }

  std::function<Ip(std::size_t)> source_ = [](std::size_t number) {
    return ip(fmt::format("198.51.{}.{}", number % kSources / 200, number % 200 + 1));
  };

 private:
  void guess() {
    for (std::size_t tried = 0; tried < kSources; ++tried) {
      std::size_t number = next_++;
      Verdict& answer = answers_[number % kSources];
      if (has_asked_[number % kSources] && !answer) continue;
      has_asked_[number % kSources] = true;
      answer.reset();
      scope_.spawn(ask(passwords_, reactor_, 0, users_, "alice", fmt::format("guess {}", number),
                       source_(number), answer));
      return;
    }
  }

  std::size_t next_ = 0;
  std::vector<Verdict> answers_{kSources};
  std::vector<bool> has_asked_ = std::vector<bool>(kSources);
};

TEST_F(Flood, KeepsNobodyWaitingWhoTakesNoPartInIt) {
  go_on(20);  // all places are taken, by sources that were never wrong
  EXPECT_LE(checks_until_right("192.0.2.1"), 3);
  go_on(300);
  EXPECT_LE(checks_until_right("192.0.2.2"), 3);
}

TEST_F(Flood, KeepsNobodyWaitingFromANetworkThatTakesPartInIt) {
  go_on(40);
  EXPECT_LE(checks_until_right("198.51.0.250"), 3);
}

TEST_F(Flood, KeepsNobodyWaitingWhoMistypedOnce) {
  go_on(200);
  Verdict mistyped;
  start(mistyped, "alice", "secrte", "192.0.2.1");
  go_on(3);
  EXPECT_EQ(mistyped, wrong);
  EXPECT_LE(checks_until_right("192.0.2.1"), 3);
}

// Whoever has a /48 has 65,536 clients, of which each asks for the first time.
TEST_F(Flood, OfNewClientsOfOneNetworkKeepsNobodyWaiting) {
  source_ = [](std::size_t number) { return ip(fmt::format("2001:db8:1:{:x}::1", number & 0xffff)); };
  go_on(40);
  EXPECT_LE(checks_until_right("2001:db8:2:1::1"), 3);
  EXPECT_LE(checks_until_right("192.0.2.1"), 3);
}

TEST_F(Flood, OfOneNameAtAUnixSocketDoesNotHoldUpOtherNamesThere) {
  source_ = [](std::size_t) { return Ip(); };
  go_on(40);
  EXPECT_LE(checks_until_right(""), 3);
}

// Nobody guesses: all of them are answered, whatever the order.
TEST_F(Checking, ServesAllWhoComeAtOnce) {
  std::vector<Verdict> verdicts(200);
  std::string users, hash = hash_of("secret");
  for (std::size_t i = 0; i < verdicts.size(); ++i) users += fmt::format("user{}:{}\n", i, hash);
  know(users);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    start(verdicts[i], fmt::format("user{}", i), "secret", fmt::format("192.0.2.{}", i));
  check_all();
  EXPECT_EQ(std::ranges::count(verdicts, Verdict(right)), 200);
}

TEST(SourceHeat, FadesAndIsExcused) {
  SourceHeat heat;
  Instant begun = Instant() + 1h;
  heat.fade(begun);
  auto one = heat.place_of(ip("2001:db8:1:1::1"), 1), neighbour = heat.place_of(ip("2001:db8:1:2::1"), 1),
       other = heat.place_of(ip("192.0.2.1"), 1);
  for (int i = 0; i < 8; ++i) heat.warm(one);
  EXPECT_EQ(heat.at(one), 16u);
  EXPECT_EQ(heat.at(neighbour), 8u);
  EXPECT_EQ(heat.at(other), 0u);
  heat.warm(other);
  EXPECT_EQ(heat.at(other), 1u);
  heat.excuse(one);
  EXPECT_EQ(heat.at(one), 14u);
  heat.fade(begun + 9min);
  EXPECT_EQ(heat.at(one), 14u);
  heat.fade(begun + 10min);
  EXPECT_EQ(heat.at(one), 6u);
  for (int i = 0; i < 1000; ++i) heat.warm(one);
  EXPECT_EQ(heat.at(one), 510u);
  for (int i = 0; i < 1000; ++i) heat.excuse(one);
  EXPECT_EQ(heat.at(one), 0u);
}

TEST(AnswerCache, IsBoundedAndKeepsWhatLastsLongest) {
  AnswerCache cache(64);
  Instant now{1};
  for (std::uint64_t i = 0; i < 10'000; ++i)
    cache.keep({i, i}, now + Duration(static_cast<std::int64_t>(i) + 1));
  int kept = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) kept += cache.has({i, i}, now);
  EXPECT_EQ(kept, 64);
  EXPECT_TRUE(cache.has({9'999, 9'999}, now));
  EXPECT_FALSE(cache.has({9'999, 9'998}, now));
  EXPECT_FALSE(cache.has({9'999, 9'999}, now + Duration(10'000)));
  EXPECT_FALSE(AnswerCache(64).has({}, now));
}

// Real threads, several workers, clients that go away: for ThreadSanitizer.
TEST(Passwords, AreCheckedByThreadsForManyWorkersAtATime) {
  constexpr std::size_t kWorkers = 3;
  Published<Users> users(kWorkers);
  auto known = made_users(fmt::format("alice:{}\n", hash_of("secret")));
  for (std::size_t worker = 0; worker < kWorkers; ++worker) users.take(worker, known);
  Passwords passwords(kWorkers);
  passwords.start();
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (std::size_t worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      SystemClock clock;
      loop::Reactor reactor(clock);
      loop::Scope scope(reactor);
      for (int round = 0; round < 20; ++round) {
        std::optional<PasswordVerdict> right_one, wrong_one, gone;
        {
          loop::Scope leaving(reactor);
          leaving.spawn(ask(passwords, reactor, worker, users, "alice", fmt::format("gone {}", round),
                            ip("192.0.2.1"), gone));
        }
        auto mine = ip(fmt::format("192.0.2.{}", worker + 2));
        scope.spawn(ask(passwords, reactor, worker, users, "alice", "secret", mine, right_one));
        scope.spawn(ask(passwords, reactor, worker, users, "bob", fmt::format("{}", round), mine, wrong_one));
        while (!right_one || !wrong_one) reactor.turn(100ms);
        EXPECT_EQ(right_one, right);
        EXPECT_EQ(wrong_one, wrong);
      }
      ++done;
    });
  }
  for (std::thread& thread : threads) thread.join();
  passwords.stop();
  EXPECT_EQ(done, static_cast<int>(kWorkers));
}

TEST(Passwords, ThatWaitWhenTheProcessEndsHoldNobodyUp) {
  SystemClock clock;
  Published<Users> users(1);
  users.take(0, made_users(fmt::format("alice:{}\n", hash_of("secret"))));
  Passwords passwords(1);
  passwords.start();
  loop::Reactor reactor(clock);
  std::vector<std::optional<PasswordVerdict>> verdicts(200);
  loop::Scope scope(reactor);
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    scope.spawn(ask(passwords, reactor, 0, users, "alice", std::to_string(i),
                    ip(fmt::format("192.0.2.{}", i)), verdicts[i]));
  passwords.stop();
}

}  // namespace
}  // namespace lockgate::guard
