#include "proxy/dial.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

// An upstream of tcp://192.0.2.1:443 and so on, and connections dialled to it. Of an endpoint that is told
// nothing, no attempt ever ends.
class Dialling {
 public:
  explicit Dialling(int endpoints, std::string_view keys = "") {
    std::string text = "upstreams:\n  up:\n    endpoints: [";
    for (int n = 1; n <= endpoints; ++n) text += "'tcp://192.0.2." + std::to_string(n) + ":443', ";
    text.append("]\n").append(keys);
    text += "listeners:\n  - { bind: 127.0.0.1:1443, sites: [{ names: [default], pass: { to: up } }] }\n";
    config_ = made_config(text);
    targets_ = made_targets(config_->upstreams.front());
    view_ =
        std::make_unique<UpstreamView>(std::make_shared<Upstream>(config_->upstreams.front()), targets_, 1);
  }

  void begin(Duration patience = 5s) {
    facts_ = {};
    facts_.client = made_address(client);
    facts_.name = name;
    dialling_.emplace(
        dial(house_.house, own, *view_, facts_, facts_.way, {}, house_.reactor.now() + patience));
    dialling_->start();
    house_.settle();
  }
  /// Dials; the address that answered, or the error's name.
  std::string dialled(Duration patience = 5s) {
    begin(patience);
    return result();
  }
  std::string result() {
    EXPECT_TRUE(dialling_->finished());
    auto outcome = dialling_->outcome();
    dialling_.reset();
    if (!outcome) {
      error = outcome.error();
      return std::string(name_of(error.code));
    }
    EXPECT_EQ(outcome->at.endpoint()->connections(), 1u);
    EXPECT_TRUE(outcome->stream);
    return facts_.way.address.text();
  }
  bool over() const { return dialling_->finished(); }
  void pass(Duration time) { house_.pass(time); }
  void settle() { house_.settle(); }
  void cancel() { dialling_.reset(); }

  static SocketAddress address(int number) {
    return made_address("192.0.2." + std::to_string(number) + ":443");
  }
  void answers(int number) { house_.connector.answer(address(number)); }
  void fails(int number, Errc code = Errc::refused) { house_.connector.fail(address(number), code); }
  Endpoint& endpoint(int number) { return *(*targets_)[static_cast<std::size_t>(number - 1)].endpoint; }
  std::vector<SocketAddress>& attempts() { return house_.connector.dialled; }
  MadeJournal& journal() { return house_.journal; }
  UpstreamView& view() { return *view_; }
  Attempts made_attempts() { return {house_.house, *view_, targets_, "", 1}; }
  const std::shared_ptr<const Targets>& targets() const { return targets_; }
  const Facts& facts() const { return facts_; }

  OwnAddresses own;
  Error error;  // of the last failure
  std::string client = "198.51.100.1:4711", name = "a.example.org";

 private:
  MadeHouse house_;
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const Targets> targets_;
  std::unique_ptr<UpstreamView> view_;
  Facts facts_;
  std::optional<loop::Task<Dialled>> dialling_;
};

TEST(Dial, PassesOverDeadEndpointsToOneThatAnswers) {
  Dialling dialling(3);
  dialling.fails(1);
  dialling.fails(2, Errc::unreachable);
  dialling.answers(3);
  for (int n = 0; n < 6; ++n) {
    EXPECT_EQ(dialling.dialled(), "192.0.2.3:443");
    EXPECT_EQ(dialling.endpoint(3).connections(), 0u);
  }
  EXPECT_EQ(dialling.endpoint(3).successes(), 6u);
  EXPECT_EQ(dialling.endpoint(3).failures(), 0u);
  EXPECT_GT(dialling.endpoint(1).failures(), 0u);
  EXPECT_EQ(dialling.endpoint(1).connections(), 0u);
}

TEST(Dial, TellsTheLastErrorAndCountsTheAttempts) {
  Dialling dialling(2);
  dialling.fails(1);
  dialling.fails(2);
  EXPECT_EQ(dialling.dialled(), "refused");
  EXPECT_EQ(dialling.facts().way.attempts, 2);
  EXPECT_EQ(dialling.facts().way.stage, Stage::connecting);
  EXPECT_EQ(dialling.error.side, Side::upstream);
  EXPECT_EQ(words(dialling.error), "connecting to the upstream: refused");
  EXPECT_EQ(dialling.facts().way.address, dialling.attempts().back());
}

TEST(Dial, TriesNoMoreEndpointsThanItMay) {
  Dialling dialling(5, "    tries: 2\n");
  for (int n = 1; n <= 5; ++n) dialling.fails(n);
  EXPECT_EQ(dialling.dialled(), "refused");
  EXPECT_EQ(dialling.attempts().size(), 2u);
}

TEST(Dial, GivesEachEndpointItsTimeAndAllTogetherTheDeadline) {
  Dialling dialling(3, "    try_timeout: 2s\n");
  dialling.begin(5s);
  EXPECT_EQ(dialling.attempts().size(), 1u);
  dialling.pass(2001ms);
  EXPECT_EQ(dialling.attempts().size(), 2u);
  dialling.pass(2001ms);
  EXPECT_EQ(dialling.attempts().size(), 3u);
  dialling.pass(990ms);
  EXPECT_FALSE(dialling.over());
  dialling.pass(20ms);
  ASSERT_TRUE(dialling.over());
  EXPECT_EQ(dialling.result(), "timed_out");
  EXPECT_EQ(dialling.error.side, Side::upstream);
  for (int n = 1; n <= 3; ++n) EXPECT_EQ(dialling.endpoint(n).failures(), 1u);
}

TEST(Dial, LeavesTheEndpointWhenItIsCancelled) {
  Dialling dialling(1);
  dialling.begin();
  EXPECT_EQ(dialling.endpoint(1).connections(), 1u);
  dialling.cancel();
  EXPECT_EQ(dialling.endpoint(1).connections(), 0u);
  EXPECT_EQ(dialling.endpoint(1).failures(), 0u);
}

TEST(Dial, EjectsAnEndpointThatFailsInARowAndSaysSoOnce) {
  Dialling dialling(2, "    ejection: { failures: 2, time: 10s }\n");
  dialling.fails(1);
  dialling.answers(2);
  for (int n = 0; n < 20; ++n) EXPECT_EQ(dialling.dialled(), "192.0.2.2:443");
  EXPECT_EQ(dialling.endpoint(1).failures(), 2u);
  ASSERT_EQ(dialling.journal().told.size(), 1u);
  EXPECT_EQ(dialling.journal().told[0],
            "endpoint tcp://192.0.2.1:443 of upstream up is put aside for 10 s: connecting to the upstream: "
            "refused");
  EXPECT_EQ(dialling.journal().levels[0], config::LogLevel::warning);
  dialling.pass(10s);
  for (int n = 0; n < 4; ++n) EXPECT_EQ(dialling.dialled(), "192.0.2.2:443");
  EXPECT_GT(dialling.endpoint(1).failures(), 2u);
}

TEST(Dial, TriesWhatIsEjectedRatherThanNothing) {
  Dialling dialling(1, "    ejection: { failures: 1 }\n");
  dialling.fails(1);
  EXPECT_EQ(dialling.dialled(), "refused");
  dialling.answers(1);
  EXPECT_EQ(dialling.dialled(), "192.0.2.1:443");
}

TEST(Dial, HasNoEndpointIfAllAreDown) {
  Dialling dialling(2);
  dialling.endpoint(1).set_up(false);
  dialling.endpoint(2).set_up(false);
  EXPECT_EQ(dialling.dialled(), "no_endpoint");
  EXPECT_EQ(dialling.error.side, Side::upstream);
  EXPECT_EQ(dialling.facts().way.attempts, 0);
  EXPECT_TRUE(dialling.attempts().empty());
}

TEST(Dial, NeverConnectsToItself) {
  Dialling dialling(2);
  dialling.own = OwnAddresses({Dialling::address(1)}, {});
  dialling.answers(1);
  dialling.answers(2);
  for (int n = 0; n < 4; ++n) EXPECT_EQ(dialling.dialled(), "192.0.2.2:443");
  dialling.endpoint(2).set_up(false);
  EXPECT_EQ(dialling.dialled(), "loops");
  for (const auto& attempt : dialling.attempts()) EXPECT_EQ(attempt, Dialling::address(2));
}

TEST(Dial, WaitsForTheFirstAnswerOfTheResolver) {
  Dialling dialling(1);
  dialling.answers(1);
  dialling.view().targets = nullptr;
  dialling.begin();
  dialling.pass(1s);
  EXPECT_FALSE(dialling.over());
  dialling.view().targets = dialling.targets();
  dialling.view().news.wake_all();
  dialling.settle();
  ASSERT_TRUE(dialling.over());
  EXPECT_EQ(dialling.result(), "192.0.2.1:443");
}

TEST(Dial, IsUnresolvedIfNoAnswerComes) {
  Dialling dialling(1);
  dialling.view().targets = nullptr;
  dialling.begin(5s);
  dialling.pass(5001ms);
  ASSERT_TRUE(dialling.over());
  EXPECT_EQ(dialling.result(), "unresolved");
  EXPECT_EQ(dialling.error.side, Side::upstream);
  EXPECT_FALSE(dialling.view().news.taken());
}

TEST(Dial, HoldsOurOwnWantAgainstNoEndpoint) {
  Dialling dialling(3);
  for (int n = 1; n <= 3; ++n) dialling.fails(n, Errc::no_resources);
  EXPECT_EQ(dialling.dialled(), "no_resources");
  EXPECT_EQ(dialling.error.side, Side::here);
  EXPECT_EQ(dialling.attempts().size(), 1u);
  for (int n = 1; n <= 3; ++n) EXPECT_EQ(dialling.endpoint(n).failures(), 0u);
}

TEST(Dial, KeepsAClientOrANameAtItsEndpoint) {
  for (bool by_name : {false, true}) {
    Dialling dialling(
        5, by_name ? "    balance: consistent_hash\n    hash: name\n" : "    balance: consistent_hash\n");
    for (int n = 1; n <= 5; ++n) dialling.answers(n);
    std::set<std::string> found;
    for (int n = 0; n < 40; ++n) {
      std::string number = std::to_string(n % 10);
      dialling.client = (by_name ? "198.51.100.7:" : "198.51.100." + number + ":") + std::to_string(n + 1);
      dialling.name = by_name ? "host" + number : "host" + std::to_string(n);
      found.insert(number + " " + dialling.dialled());
    }
    EXPECT_EQ(found.size(), 10u);  // each always the same
  }
}

Error broken_handshake(Errc code = Errc::closed) {
  return {.code = code, .side = Side::upstream, .doing = "shaking hands with the upstream"};
}

TEST(Attempts, TryOnceMoreWhereAHandshakeBrokeOffIfNobodyElseIsLeft) {
  Dialling dialling(2);
  Attempts attempts = dialling.made_attempts();
  const Target* first = attempts.next();
  attempts.failed(broken_handshake());
  const Target* second = attempts.next();
  ASSERT_TRUE(second);
  EXPECT_NE(second, first);
  attempts.failed(broken_handshake(Errc::reset));
  EXPECT_EQ(attempts.next(), second);
  attempts.failed(broken_handshake());
  EXPECT_FALSE(attempts.next());
}

TEST(Attempts, ComeBackToABrokenHandshakeAfterTheOthersHaveRefused) {
  Error refused{.code = Errc::refused, .side = Side::upstream, .doing = kConnecting};
  Dialling dialling(2);
  Attempts attempts = dialling.made_attempts();
  const Target* first = attempts.next();
  attempts.failed(broken_handshake());
  EXPECT_NE(attempts.next(), first);
  attempts.failed(refused);
  EXPECT_EQ(attempts.next(), first);
  attempts.failed(broken_handshake());
  EXPECT_FALSE(attempts.next());
}

TEST(Attempts, TryAgainNobodyWhoHasSaidWhy) {
  Error refused{.code = Errc::refused, .side = Side::upstream, .doing = kConnecting};
  for (const Error& error : {refused, broken_handshake(Errc::untrusted), broken_handshake(Errc::timed_out),
                             broken_handshake().on(Side::parent)}) {
    Dialling dialling(1);
    Attempts attempts = dialling.made_attempts();
    ASSERT_TRUE(attempts.next());
    attempts.failed(error);
    EXPECT_FALSE(attempts.next()) << words(error);
  }
}

TEST(Attempts, LeaveASessionWhereItIsThoughAHandshakeBrokeOff) {
  Dialling dialling(3);
  Attempts attempts = dialling.made_attempts();
  const Target& its = dialling.targets()->at(1);
  attempts.stick_to(its.mark);
  EXPECT_EQ(attempts.next(), &its);
  attempts.failed(broken_handshake());
  EXPECT_EQ(attempts.next(), &its);
  attempts.failed(broken_handshake());
  const Target* other = attempts.next();
  ASSERT_TRUE(other);
  EXPECT_NE(other, &its);
}

}  // namespace
}  // namespace lockgate::proxy
