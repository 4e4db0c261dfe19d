// Whole connections between memory streams, from the accept to the line in the access log: whatever the sizes
// of the pieces, whichever operation goes wrong, whenever they are cut or forgotten.
#include <gtest/gtest.h>

#include "loop/scope.h"
#include "proxy/connection.h"
#include "proxy/made_house.h"
#include "stories/memory_stream.h"
#include "wire/made_hello.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using proxy::made_address;

constexpr std::string_view kConfig = R"(
defaults: { timeouts: { proxy_header: 3s, hello: 5s, connect: 5s, idle: 60s, half_closed: 10s } }
upstreams:
  up:
    endpoints: ["tcp://192.0.2.1:443", "tcp://192.0.2.2:443"]
    ejection: { failures: 0 }
listeners:
  - name: front
    bind: 127.0.0.1:8443
    accept_proxy_protocol: { from: 10.0.0.0/8 }
    limits: { connections: 100 }
    sites:
      - { name: app, names: [app.example.org], limits: { connections: 1, when_full: queue, queue_timeout: 10s },
          pass: { to: up, send_proxy_protocol: v1 } }
      - { name: alert, names: [alert.example.org], reject: { with: alert } }
      - { name: reset, names: [reset.example.org], reject: { with: reset } }
      - { name: silence, names: [silence.example.org], reject: { with: silence } }
      - { name: web, names: [web.example.org], plain: { to: up } }
  - name: blind
    bind: 127.0.0.1:8143
    peek: off
    sites: [{ name: mail, names: [default], pass: { to: up } }]
)";

constexpr std::string_view kHeader = "PROXY TCP4 203.0.113.5 198.51.100.7 4711 443\r\n";
constexpr std::string_view kBanned = "203.0.113.66";
constexpr std::string_view kHeaderOfBanned = "PROXY TCP4 203.0.113.66 198.51.100.7 4711 443\r\n";
constexpr std::string_view kSaid = "and what the client says behind it, in a line of text";
constexpr std::string_view kAnswer = "what the upstream answers, which is longer by a little than that";
constexpr int kMostTurns = 6000;
// Longer than all timeouts of one connection together: header, hello, queue, connect, refusing, relaying.
constexpr Duration kPatience = 120s;

std::string hello_for(std::string_view name) {
  return std::string(kHeader) + wire::MadeHello().named(name).with(16, wire::made_alpn({"h2"})).bytes();
}

/// What a client does, and what becomes of it if all goes well.
struct Play {
  std::string title;
  std::string listener = "front";
  std::string says;               // everything that it sends
  std::string outcome;            // of the access line
  std::string site;               // of the access line; empty: none
  std::string client_hears = "";  // all of it
  std::string reaches = "";       // the upstream, our header included
  bool resets = false;            // rather than ending in order
  std::size_t own_header = 0;     // bytes of `reaches` that are ours
  bool ends = true;               // the client, once it has said everything
  bool queued = false;            // the site is full until it waits there
};

void PrintTo(const Play& play, std::ostream* out) { *out << play.title; }

std::string alert(char number) { return "\x15\x03\x03\0\x02\x02"s + number; }

std::vector<Play> plays() {
  std::string passed = hello_for("app.example.org") + std::string(kSaid);
  std::string request = "GET / HTTP/1.1\r\nHost: web.example.org\r\n\r\n" + std::string(kSaid);
  return {
      {.title = "Passed",
       .says = passed,
       .outcome = "finished",
       .site = "app",
       .client_hears = std::string(kAnswer),
       .reaches = passed,  // the header that we send is the one that came
       .own_header = kHeader.size()},
      {.title = "PassedFromTheQueue",
       .says = passed,
       .outcome = "finished",
       .site = "app",
       .client_hears = std::string(kAnswer),
       .reaches = passed,
       .own_header = kHeader.size(),
       .queued = true},
      {.title = "PlainByHost",
       .says = std::string(kHeader) + request,
       .outcome = "finished",
       .site = "web",
       .client_hears = std::string(kAnswer),
       .reaches = request},
      {.title = "ServerSpeaksFirst",
       .listener = "blind",
       .says = std::string(kSaid),
       .outcome = "finished",
       .site = "mail",
       .client_hears = std::string(kAnswer),
       .reaches = std::string(kSaid)},
      {.title = "NoSite",
       .says = hello_for("other.example.org"),
       .outcome = "no_site",
       .client_hears = alert(112)},
      {.title = "RejectedByAlert",
       .says = hello_for("alert.example.org"),
       .outcome = "rejected",
       .site = "alert",
       .client_hears = alert(112)},
      {.title = "RejectedByReset",
       .says = hello_for("reset.example.org"),
       .outcome = "rejected",
       .site = "reset",
       .resets = true},
      {.title = "RejectedInSilence",
       .says = hello_for("silence.example.org"),
       .outcome = "rejected",
       .site = "silence"},
      {.title = "Banned",
       .says = std::string(kHeaderOfBanned) + hello_for("app.example.org").substr(kHeader.size()),
       .outcome = "banned",
       .resets = true},
      {.title = "BrokenHello",
       .says = std::string(kHeader) + "\x16\x03\x01\0\x04\x02\0\0\0"s,
       .outcome = "bad_message",
       .client_hears = alert(50)},
      {.title = "BrokenHeader", .says = "PROXY TCP9\r\n", .outcome = "bad_message"},
  };
}

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
  explicit Theatre(const Play& play, const Manner& manner = {}, std::size_t servers = 2)
      : play_(play), network_(reactor_, manner) {
    plan_ = std::make_shared<proxy::WorkerPlan>();
    registry_.freed = [this] { place_freed_.wake_all(); };
    plan_->plan = proxy::made_plan(kConfig, registry_);
    registry_.guards.bans.ban(
        {.who = *Network::parse(kBanned), .since = clock_.now(), .until = kNever, .why = ""}, clock_.now());
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
    facts.peer = facts.client = made_address("10.0.0.9:1234");
    facts.destination = made_address("198.51.100.1:443");
    facts.accepted = reactor_.now();
    facts.accepted_wall = reactor_.wall();
    proxy::Places places;
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
    bool over = turn_until(reactor_, clock_, [&] { return look(); }, kMostTurns, step);
    turn(20);  // what is still under way arrives
    return over;
  }
  bool run(Duration step = {}) {
    begin();
    return finish(step);
  }
  void turn(int turns = 1) {
    turn_until(reactor_, clock_, [&] { return look(), false; }, turns);
  }

  /// Whoever runs this theatre has nothing left of the connection.
  void expect_empty() const {
    for (const auto& target : *targets_) EXPECT_EQ(target.endpoint->connections(), 0u);
    for (const auto& [name, gate] : registry_.gates) EXPECT_EQ(gate->inside(), 0u) << name;
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
    return over_ > 0;
  }
  void serve(net::AnyStream far) {
    upstreams_.push_back(std::move(far));
    by_upstream_.push_back(std::make_unique<Heard>());
    scope_.spawn(hear(*upstreams_.back(), *by_upstream_.back()));
    scope_.spawn(say(*upstreams_.back(), std::string(kAnswer), true));
  }

  const Play& play_;
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
  net::AnyStream client_;
  std::vector<net::AnyStream> upstreams_;
  Heard by_client_;
  std::vector<std::unique_ptr<Heard>> by_upstream_;
  loop::Scope scope_{reactor_};
  std::unique_ptr<proxy::Connection> connection_;
  int over_ = 0;
};

class ConnectionStory : public testing::TestWithParam<std::tuple<Play, Manner>> {
 protected:
  const Play& play() const { return std::get<0>(GetParam()); }
  const Manner& manner() const { return std::get<1>(GetParam()); }
  /// How many operations it takes if all goes well.
  int operations() const {
    Theatre theatre(play(), manner());
    EXPECT_TRUE(theatre.run());
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
  EXPECT_EQ(theatre.told("client"), play().listener == "front" ? "203.0.113.5:4711" : "10.0.0.9:1234");
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
  int count = operations();
  for (int nth = 0; nth < count; ++nth) {
    SCOPED_TRACE(nth);
    Theatre theatre(play(), manner());
    theatre.faults().block(nth);
    ASSERT_TRUE(theatre.run(kPatience / kMostTurns));
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
                         testing::Combine(testing::ValuesIn(plays()),
                                          testing::Values(Manner{}, Manner{.most_read = 7, .most_written = 7},
                                                          Manner{.most_read = 1, .most_written = 1})),
                         [](const auto& story) {
                           std::size_t size = std::get<1>(story.param).most_read;
                           return std::get<0>(story.param).title +
                                  (size == SIZE_MAX ? "Whole" : "By" + std::to_string(size));
                         });

Play passed() { return plays().front(); }

TEST(QueuedStory, GoesOnWhenAPlaceComesFree) {
  Play play = passed();
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
  Play play = passed();
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
    Play play = passed();
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

TEST(DialStory, TellsTheClientThatNoEndpointAnswers) {
  Play play = passed();
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
  Play play = passed();
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
  Play play = passed();
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
  Play play = passed();
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
    Play play{.title = "Silent", .says = hello.substr(0, size), .ends = false};
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
    Play play{.title = "Leaving", .says = hello.substr(0, size)};
    Theatre theatre(play);
    ASSERT_TRUE(theatre.run());
    theatre.expect_true_line();
    theatre.expect_empty();
    EXPECT_EQ(theatre.told("outcome"), "closed");
    EXPECT_EQ(theatre.told("ended_by"), "client");
  }
}

TEST(IdleStory, EndsWhenNobodySaysAnythingMore) {
  Play play = passed();
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
