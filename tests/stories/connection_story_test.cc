// Whole connections between memory streams, from the accept to the line in the access log: whatever the sizes
// of the pieces, whichever operation goes wrong, whenever they are cut or forgotten.
#include <gtest/gtest.h>

#include "loop/scope.h"
#include "proxy/connection.h"
#include "proxy/connection_rates.h"
#include "proxy/made_house.h"
#include "stories/connection_plays.h"
#include "stories/memory_stream.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;
using proxy::made_address;

constexpr int kMostTurns = 6000;
// Longer than all timeouts of one connection together: header, hello, queue, connect, refusing, relaying.
constexpr Duration kPatience = 120s;

/// An access line's field, unquoted; empty if it is not there.
std::string field(const std::string& line, const std::string& name) {
  auto at = (" " + line).find(" " + name + "=");
  if (at == std::string::npos) return "";
  auto value = line.substr(at + name.size() + 1);
  return value.front() == '"' ? value.substr(1, value.find('"', 1) - 1) : value.substr(0, value.find(' '));
}

// The stage on which a play is given: one worker's house, two endpoints, and a client.
class Theatre final : public proxy::ConnectionOwner {
 public:
  /// `servers` of the upstream's two endpoints answer; the rest refuse.
  explicit Theatre(const ConnectionPlay& play, const Manner& manner = {}, std::size_t servers = 2)
      : play_(play), network_(reactor_, manner) {
    plan_ = std::make_shared<proxy::WorkerPlan>();
    registry_.freed = [this] { place_freed_.wake_all(); };
    plan_->plan = proxy::made_plan(kConnectionConfig, registry_);
    guard::Bans& bans = registry_.guards.bans;
    for (std::string_view who : {kBanned, kBannedNeighbour, kBannedNetwork})
      bans.ban({.who = *Network::parse(who), .since = clock_.now(), .until = kNever, .why = ""},
               clock_.now());
    bans.take_networks(0, bans.networks());
    const auto& upstream = plan_->plan->upstreams.front();
    targets_ = proxy::made_targets(upstream->config);
    plan_->upstreams.push_back(std::make_shared<proxy::UpstreamView>(upstream, targets_, 1));
    for (const auto& target : std::span(*targets_).first(servers)) {
      network_.listen(target.addresses.front(), [this](net::AnyStream far) { serve(std::move(far)); });
    }
  }
  ~Theatre() { connection_.reset(); }

  /// The client comes and speaks.
  void begin() {
    auto [near, far] = network_.pair("client");
    client_ = std::move(far);
    const proxy::ListenerPlan& listener = *plan_->plan->listener(play_.listener);
    proxy::Facts facts;
    facts.id = 1;
    facts.peer = facts.client = made_address(play_.peer);
    facts.destination = made_address("198.51.100.1:443");
    facts.accepted = reactor_.now();
    facts.accepted_wall = reactor_.wall();
    proxy::Places places;
    if (!play_.spent.empty()) spend(play_.spent);
    if (play_.queued && site_gate().enter()) other_ = proxy::Place(site_gate());
    if (listener.gate && listener.gate->enter()) places.listener = proxy::Place(*listener.gate);
    connection_ = std::make_unique<proxy::Connection>(house_, *this, plan_, listener, std::move(near),
                                                      std::move(facts), std::move(places));
    scope_.spawn(hear(*client_, by_client_));
    scope_.spawn(say(*client_, play_.says, play_.ends));
    connection_->begin();
  }
  /// Until it is over; false if it is not in time.
  bool finish(Duration step = {}) {
    bool over = turn_until(reactor_, clock_, [&] { return look(); }, kMostTurns, std::max(step, play_.step));
    turn(20);  // what is still under way arrives
    return over;
  }
  bool run(Duration step = {}) {
    begin();
    return finish(step);
  }
  void turn(int turns = 1) {
    turn_until(reactor_, clock_, [&] { return look(), false; }, turns, play_.step);
  }

  /// Whoever runs this theatre has nothing left of the connection.
  void expect_empty() const {
    for (const auto& target : *targets_) EXPECT_EQ(target.endpoint->connections(), 0u);
    for (const auto& [name, gate] : registry_.gates) EXPECT_EQ(gate->inside(), 0u) << name;
    EXPECT_EQ(registry_.guards.rates.counts().keys(), 0u);
    EXPECT_FALSE(place_freed_.taken());
    EXPECT_EQ(network_.live(),
              static_cast<int>((client_ ? 1 : 0) + upstreams_.size()));  // the test's own ends
  }
  /// There is one line, and it tells what has happened. Bytes are told as far as they have come from whom.
  void expect_true_line() const {
    EXPECT_EQ(over_, 1);
    ASSERT_EQ(journal_.lines.size(), 1u);
    std::uint64_t outcomes = 0, up = 0, down = 0;
    for (const auto& [name, tally] : registry_.tallies) {
      for (std::size_t i = 0; i < proxy::kOutcomes; ++i) {
        outcomes += tally->sum([&](const auto& row) { return row.outcomes[i].value(); });
      }
      up += tally->sum([](const auto& row) { return row.bytes_up.value(); });
      down += tally->sum([](const auto& row) { return row.bytes_down.value(); });
    }
    EXPECT_EQ(outcomes, 1u);
    EXPECT_EQ(told("bytes_up"), std::to_string(up));
    EXPECT_EQ(told("bytes_down"), std::to_string(down));
    EXPECT_LE(up, play_.reaches.size() - play_.own_header);
    EXPECT_LE(down, kAnswer.size());
    std::size_t heard = by_upstream_.empty() ? 0 : by_upstream_.back()->text.size();
    EXPECT_GE(up + play_.own_header, heard);
    if (kAnswer.starts_with(by_client_.text)) EXPECT_GE(down, by_client_.text.size());
  }
  /// Nobody who has got less than everything was told that it is all.
  void expect_no_false_end() const {
    for (const auto& heard : by_upstream_) {
      EXPECT_TRUE(play_.reaches.starts_with(heard->text));
      if (!heard->text.empty() && heard->text != play_.reaches) EXPECT_FALSE(heard->ended);
    }
    bool all = by_client_.text == play_.client_hears;
    if (kAnswer.starts_with(by_client_.text) && !by_client_.text.empty() && !all)
      EXPECT_FALSE(by_client_.ended);
    if (told("outcome") == "finished") EXPECT_TRUE(all);
  }
  std::string told(const std::string& name) const {
    return journal_.lines.empty() ? "" : field(journal_.lines.front(), name);
  }

  /// Others of the same client take all that one rate gives; how often that was.
  int spend(const std::string& name) {
    const proxy::ListenerPlan& listener = *plan_->plan->listener(play_.listener);
    proxy::Facts facts;
    facts.peer = made_address("10.0.0.9:1");
    facts.client = made_address("203.0.113.5:1");
    facts.dialect = proxy::Dialect::tls;
    for (const proxy::SitePlan& site : listener.sites) {
      guard::RateList one;
      for (const auto& list : {site.rates->arrivals, site.rates->at_site, site.rates->bandwidth}) {
        std::ranges::copy_if(list, std::back_inserter(one),
                             [&](const auto& rule) { return rule->config.name == name; });
      }
      if (one.empty()) continue;
      proxy::Caller caller{facts, listener, &site};
      if (one.front()->config.of == config::RateOf::bandwidth) {
        Faults none;
        auto pair = memory_pair(reactor_, none, {}, "others", std::make_shared<int>(0));
        auto paced = proxy::paced(std::move(pair.near), one, caller);
        EXPECT_TRUE(paced->write_some(as_bytes(std::string(2000, 'x'))));
        return 1;
      }
      int times = 0;
      while (!proxy::pass_rates(house_, one, caller, others_)) ++times;
      return times;
    }
    ADD_FAILURE() << "no rate " << name;
    return 0;
  }

  proxy::Connection* connection() { return connection_.get(); }
  void forget() {
    connection_.reset();
    look();
  }
  bool is_over() const { return over_ > 0; }
  Faults& faults() { return network_.faults(); }
  MemoryNetwork& network() { return network_; }
  proxy::Gate& site_gate() { return *registry_.gates.at("site front app"); }
  proxy::UpstreamView& view() { return *plan_->upstreams.front(); }
  const SocketAddress& endpoint(std::size_t number) { return (*targets_)[number].addresses.front(); }
  const proxy::MadeJournal& journal() const { return journal_; }
  const Heard& by_client() const { return by_client_; }
  const Heard& by_upstream() const { return *by_upstream_.back(); }
  std::size_t reached() const { return by_upstream_.size(); }

 private:
  const std::shared_ptr<proxy::WorkerPlan>& newest_plan() const override { return plan_; }
  void connection_over(proxy::Connection&) override {
    ++over_;
    connection_.reset();
  }
  // Whether it is over. Who has the only place of the site leaves it to a connection that waits there.
  bool look() {
    bool waits = connection_ && connection_->facts().stage == proxy::Stage::queued;
    if (waits || !connection_) other_ = proxy::Place();
    if (!connection_) others_.clear();
    return over_ > 0;
  }
  void serve(net::AnyStream far) {
    upstreams_.push_back(std::move(far));
    by_upstream_.push_back(std::make_unique<Heard>());
    scope_.spawn(hear(*upstreams_.back(), *by_upstream_.back()));
    scope_.spawn(say(*upstreams_.back(), std::string(kAnswer), true));
  }

  const ConnectionPlay& play_;
  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  proxy::MadeJournal journal_;
  loop::WaitSlot place_freed_;
  proxy::MadeRegistry registry_;
  MemoryNetwork network_;
  tls::Scratch records_, parent_records_;
  http::Desk desk_{buffers_};
  proxy::Pool pool_{reactor_};
  proxy::House house_{reactor_, buffers_, network_,        journal_,     desk_,
                      pool_,    records_, parent_records_, place_freed_, 0};
  std::shared_ptr<proxy::WorkerPlan> plan_;
  std::shared_ptr<const proxy::Targets> targets_;
  proxy::Place other_;
  std::vector<guard::Counted> others_;
  net::AnyStream client_;
  std::vector<net::AnyStream> upstreams_;
  Heard by_client_;
  std::vector<std::unique_ptr<Heard>> by_upstream_;
  loop::Scope scope_{reactor_};
  std::unique_ptr<proxy::Connection> connection_;
  int over_ = 0;
};

class ConnectionStory : public testing::TestWithParam<std::tuple<ConnectionPlay, Manner>> {
 protected:
  const ConnectionPlay& play() const { return std::get<0>(GetParam()); }
  const Manner& manner() const { return std::get<1>(GetParam()); }
  /// How many operations it takes if all goes well, and with each turn so much time passes.
  int operations(Duration step = {}) const {
    Theatre theatre(play(), manner());
    EXPECT_TRUE(theatre.run(step));
    return theatre.faults().counted();
  }
};

TEST_P(ConnectionStory, GoesWell) {
  Theatre theatre(play(), manner());
  ASSERT_TRUE(theatre.run());
  theatre.expect_true_line();
  theatre.expect_empty();
  EXPECT_EQ(theatre.told("outcome"), play().outcome);
  EXPECT_EQ(theatre.told("site"), play().site);
  EXPECT_EQ(theatre.told("listener"), play().listener);
  EXPECT_EQ(theatre.told("rate"), play().outcome == "limited" ? play().spent : "");
  EXPECT_EQ(theatre.by_client().text, play().client_hears);
  EXPECT_EQ(theatre.by_client().error.has_value(), play().resets);
  if (play().outcome != "finished") {
    EXPECT_EQ(theatre.reached(), 0u);
    return;
  }
  ASSERT_EQ(theatre.reached(), 1u);
  EXPECT_EQ(theatre.by_upstream().text, play().reaches);
  EXPECT_TRUE(theatre.by_upstream().ended);
  EXPECT_EQ(theatre.told("bytes_up"), std::to_string(play().reaches.size() - play().own_header));
  EXPECT_EQ(theatre.told("bytes_down"), std::to_string(kAnswer.size()));
  EXPECT_EQ(theatre.told("client"), play().says.starts_with(kHeader) ? "203.0.113.5:4711" : play().peer);
}

TEST_P(ConnectionStory, EndsWithOneTrueLineWhicheverOperationFails) {
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Theatre theatre(play(), manner());
    theatre.faults().fail(nth, {.code = Errc::unreachable, .doing = "testing"});
    ASSERT_TRUE(theatre.run());
    ASSERT_TRUE(theatre.faults().struck());
    theatre.expect_true_line();
    theatre.expect_no_false_end();
    theatre.expect_empty();
    const Faults::Strike& strike = *theatre.faults().struck();
    std::string outcome = theatre.told("outcome"), by = theatre.told("ended_by");
    if (strike.operation == Operation::connect) {
      EXPECT_EQ(outcome, play().outcome);  // the other endpoint was taken
      EXPECT_EQ(theatre.told("attempts"), "2");
    } else if (outcome == "unreachable") {
      EXPECT_EQ(by, strike.label == "client" ? "client" : "upstream");
    } else {
      EXPECT_EQ(outcome, play().outcome);  // it had been decided, and the client was being told
      EXPECT_NE(outcome, "finished");
    }
  }
}

TEST_P(ConnectionStory, EndsInTimeWhicheverOperationBlocks) {
  constexpr Duration kStep = kPatience / kMostTurns;
  int count = operations(kStep);
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Theatre theatre(play(), manner());
    theatre.faults().block(nth);
    ASSERT_TRUE(theatre.run(kStep));
    ASSERT_TRUE(theatre.faults().struck());
    theatre.expect_true_line();
    theatre.expect_no_false_end();
    theatre.expect_empty();
    Operation operation = theatre.faults().struck()->operation;
    std::string outcome = theatre.told("outcome");
    if (outcome != play().outcome) EXPECT_EQ(outcome, "timed_out");
    if (outcome == "finished") EXPECT_TRUE(operation == Operation::connect || operation == Operation::finish);
  }
}

TEST_P(ConnectionStory, CanBeCutAtEveryTurn) {
  for (int turns = 0;; ++turns) {
    SCOPED_TRACE(turns);
    Theatre theatre(play(), manner());
    theatre.begin();
    theatre.turn(turns);
    if (theatre.is_over()) break;
    theatre.connection()->cut(Errc::shutting_down, "draining");
    theatre.turn(2);  // a peer who moves in the first puts it off to the second
    EXPECT_TRUE(theatre.is_over());
    theatre.finish();
    theatre.expect_true_line();
    theatre.expect_no_false_end();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), "shutting_down");
    EXPECT_EQ(theatre.told("ended_by"), "here");
    EXPECT_EQ(theatre.told("reason"), "draining: shutting_down");
  }
}

TEST_P(ConnectionStory, LeavesNothingIfItsOwnerGoesAtAnyTurn) {
  for (int turns = 0;; ++turns) {
    SCOPED_TRACE(turns);
    Theatre theatre(play(), manner());
    theatre.begin();
    theatre.turn(turns);
    if (theatre.is_over()) break;
    theatre.forget();
    theatre.expect_empty();
    theatre.finish();
    EXPECT_FALSE(theatre.is_over());
    EXPECT_TRUE(theatre.journal().lines.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(All, ConnectionStory,
                         testing::Combine(testing::ValuesIn(plays_of_connection()),
                                          testing::Values(Manner{}, Manner{.most_read = 7, .most_written = 7},
                                                          Manner{.most_read = 1, .most_written = 1})),
                         [](const auto& story) {
                           std::size_t size = std::get<1>(story.param).most_read;
                           return std::get<0>(story.param).title +
                                  (size == SIZE_MAX ? "Whole" : "By" + std::to_string(size));
                         });

ConnectionPlay passed() { return plays_of_connection().front(); }

TEST(QueuedStory, GoesOnWhenAPlaceComesFree) {
  ConnectionPlay play = passed();
  Theatre theatre(play);
  ASSERT_TRUE(theatre.site_gate().enter());
  theatre.begin();
  theatre.turn(100);
  ASSERT_FALSE(theatre.is_over());
  EXPECT_EQ(theatre.connection()->facts().stage, proxy::Stage::queued);
  EXPECT_EQ(theatre.reached(), 0u);
  theatre.site_gate().leave();
  ASSERT_TRUE(theatre.finish());
  theatre.expect_true_line();
  theatre.expect_empty();
  EXPECT_EQ(theatre.told("outcome"), "finished");
  EXPECT_EQ(theatre.by_client().text, kAnswer);
}

TEST(QueuedStory, IsLimitedWhenItsPatienceIsOver) {
  ConnectionPlay play = passed();
  Theatre theatre(play);
  ASSERT_TRUE(theatre.site_gate().enter());
  ASSERT_TRUE(theatre.run(kPatience / kMostTurns));
  theatre.expect_true_line();
  EXPECT_EQ(theatre.told("outcome"), "limited");
  EXPECT_EQ(theatre.told("ended_by"), "here");
  EXPECT_EQ(theatre.told("site"), "app");
  EXPECT_EQ(theatre.by_client().text, alert(80));
  theatre.site_gate().leave();
  theatre.expect_empty();
}

TEST(QueuedStory, CanBeCutOrForgotten) {
  for (bool cut : {true, false}) {
    ConnectionPlay play = passed();
    Theatre theatre(play);
    ASSERT_TRUE(theatre.site_gate().enter());
    theatre.begin();
    theatre.turn(100);
    if (cut) {
      theatre.connection()->cut(Errc::shutting_down, "draining");
    } else {
      theatre.forget();
    }
    theatre.site_gate().leave();  // in the same turn
    theatre.turn(10);
    EXPECT_EQ(theatre.is_over(), cut);
    EXPECT_EQ(theatre.told("outcome"), cut ? "shutting_down" : "");
    EXPECT_EQ(theatre.reached(), 0u);
    theatre.expect_empty();
  }
}

// Of the rates of its arrival, and of those of its site, which are asked in this order.
TEST(CountedStory, IsCountedByAllRatesOfAPlaceOrByNone) {
  auto all = plays_of_connection();
  auto play_of = [&](std::string_view title) {
    return *std::ranges::find(all, title, &ConnectionPlay::title);
  };
  struct Case {
    const char *title, *rate;
    int left;
  };
  for (const auto& [title, rate, left] : std::initializer_list<Case>{{"Rated", "coming", 2},
                                                                     {"TooManyThere", "coming", 3},
                                                                     {"Rated", "hellos", 2},
                                                                     {"TooManyForTheSite", "hellos", 3},
                                                                     {"TooManyHellos", "there-for-it", 1},
                                                                     {"TooManyForTheSite", "coming", 2}}) {
    SCOPED_TRACE(std::string(title) + " " + rate);
    ConnectionPlay play = play_of(title);
    Theatre theatre(play);
    ASSERT_TRUE(theatre.run());
    EXPECT_EQ(theatre.spend(rate), left);
  }
}

TEST(DialStory, TellsTheClientThatNoEndpointAnswers) {
  ConnectionPlay play = passed();
  Theatre theatre(play, {}, 0);
  ASSERT_TRUE(theatre.run());
  theatre.expect_true_line();
  theatre.expect_empty();
  EXPECT_EQ(theatre.told("outcome"), "refused");
  EXPECT_EQ(theatre.told("ended_by"), "upstream");
  EXPECT_EQ(theatre.told("attempts"), "2");
  EXPECT_EQ(theatre.told("bytes_up"), "0");
  EXPECT_EQ(theatre.by_client().text, alert(80));
  EXPECT_EQ(theatre.journal().told.back(), "connecting to the upstream: refused");
}

TEST(DialStory, GoesOnToTheSecondEndpointWhenTheFirstNeverAnswers) {
  ConnectionPlay play = passed();
  for (std::size_t dead : {0u, 1u}) {
    Theatre theatre(play);
    theatre.network().black_hole(theatre.endpoint(dead));
    ASSERT_TRUE(theatre.run(10ms));
    theatre.expect_true_line();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), "finished");
    EXPECT_EQ(theatre.told("address"), theatre.endpoint(1 - dead).text());
  }
}

TEST(DialStory, EndsAtTheDeadlineWhenNobodyEverAnswers) {
  ConnectionPlay play = passed();
  Theatre theatre(play);
  for (std::size_t n : {0u, 1u}) theatre.network().black_hole(theatre.endpoint(n));
  ASSERT_TRUE(theatre.run(10ms));
  theatre.expect_true_line();
  theatre.expect_empty();
  EXPECT_EQ(theatre.told("outcome"), "timed_out");
  EXPECT_EQ(theatre.told("ended_by"), "upstream");
  EXPECT_EQ(theatre.by_client().text, alert(80));
}

TEST(DialStory, WaitsForTheNameOfItsUpstream) {
  ConnectionPlay play = passed();
  for (bool answered : {true, false}) {
    Theatre theatre(play);
    auto targets = std::exchange(theatre.view().targets, nullptr);
    theatre.begin();
    theatre.turn(100);
    ASSERT_FALSE(theatre.is_over());
    if (answered) {
      theatre.view().targets = targets;
      theatre.view().news.wake_all();
    }
    ASSERT_TRUE(theatre.finish(10ms));
    theatre.expect_true_line();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), answered ? "finished" : "unresolved");
    EXPECT_EQ(theatre.by_client().text, answered ? play.client_hears : alert(80));
  }
}

TEST(SilentClientStory, IsClosedWithoutAWordWhereverItStops) {
  std::string hello = hello_for("app.example.org");
  for (std::size_t size = 0; size < hello.size(); ++size) {
    SCOPED_TRACE(size);
    ConnectionPlay play{.title = "Silent", .says = hello.substr(0, size), .ends = false};
    Theatre theatre(play);
    ASSERT_TRUE(theatre.run(20ms));
    theatre.expect_true_line();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), "timed_out");
    EXPECT_EQ(theatre.told("ended_by"), "here");
    EXPECT_EQ(theatre.told("reason"),
              size < kHeader.size() ? "reading the PROXY header: timed_out" : "reading the hello: timed_out");
    EXPECT_EQ(theatre.by_client().text, "");
    EXPECT_TRUE(theatre.journal().told.empty());  // no trouble of ours
  }
}

TEST(LeavingClientStory, IsClosedByTheClientWhereverItStops) {
  std::string hello = hello_for("app.example.org");
  for (std::size_t size = 0; size < hello.size(); ++size) {
    SCOPED_TRACE(size);
    ConnectionPlay play{.title = "Leaving", .says = hello.substr(0, size)};
    Theatre theatre(play);
    ASSERT_TRUE(theatre.run());
    theatre.expect_true_line();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), "closed");
    EXPECT_EQ(theatre.told("ended_by"), "client");
  }
}

TEST(IdleStory, EndsWhenNobodySaysAnythingMore) {
  ConnectionPlay play = passed();
  play.ends = false;  // while the upstream has ended: half closed
  Theatre theatre(play);
  ASSERT_TRUE(theatre.run(10ms));
  theatre.expect_true_line();
  theatre.expect_empty();
  EXPECT_EQ(theatre.told("outcome"), "timed_out");
  EXPECT_EQ(theatre.told("ended_by"), "here");
  EXPECT_EQ(theatre.told("reason"), "relaying: timed_out");
}

}  // namespace
}  // namespace lockgate::stories
