// Whatever clients and their upstreams say over whatever connections, and whenever they leave: what an
// upstream is asked is what a client has asked, request for request; what a client is answered is well
// formed, in order, and said by an upstream in answer to that very request; all is over in time, and nothing
// is left.
//
// An input is a script: four bytes tell how the connections are, and behind them come steps with a bar
// between them, each a letter and what it needs. In what an upstream says, `@` becomes a mark that tells for
// which request it was said.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocated.h"
#include "base/check.h"
#include "far_end.h"
#include "proxy/connection.h"
#include "proxy/made_house.h"
#include "stories/memory_stream.h"
#include "strict_http.h"

namespace lockgate::fuzz {
namespace {

using namespace std::chrono_literals;
using stories::Manner;

constexpr std::size_t kMostMemory = 8 * 1024 * 1024;
constexpr int kQuietTurns = 6;
constexpr int kMostTurns = 200'000;
constexpr std::size_t kMostClients = 4;
// More than all timeouts of one conversation together, and what a connection may wait in the pool.
constexpr Duration kPatience = 600s, kStep = 250ms, kPooled = 31s;
// Bytes that no script says.
constexpr unsigned kFirstMark = 0x80, kMostMarks = 0x7f;

constexpr std::string_view kConfig = R"(
defaults:
  access_log: { to: stdout }
  timeouts: { connect: 5s, idle: 20s, half_closed: 10s }
  http: { head_timeout: 5s, keepalive: 10s, body_timeout: 6s, head_limit: 2KiB, field_limit: 20 }
  forward: { via: off, client_fields: [], first_byte: 15s, idle: 8s, tunnel: 20s, body_limit: $LIMIT }
  request_fields: { set: { X-Id: $request_id } }
upstreams:
  one: { endpoints: ["http://192.0.2.1:80"], ejection: { failures: 0 } }
  two: { endpoints: ["http://192.0.2.1:80", "http://192.0.2.2:80"], ejection: { failures: 0 } }
  none: { endpoints: ["http://192.0.2.9:80", "http://192.0.2.1:80"], ejection: { failures: 0 } }
listeners:
  - name: front
    bind: 127.0.0.1:8080
    sites:
      - names: [default]
        plain:
          routes:
            - { path: /two, to: two, forward: { $FORWARD } }
            - { path: /none, to: none }
            - { path: /here, status: 200, body: "a fixed answer" }
            - { path: /, to: one }
)";

std::shared_ptr<const proxy::Plan> made_plan(std::string_view limit, std::string_view forward) {
  static proxy::MadeRegistry registry;
  std::string text(kConfig);
  text.replace(text.find("$LIMIT"), 6, limit);
  text.replace(text.find("$FORWARD"), 8, forward);
  return proxy::made_plan(text, registry);
}

const std::array<std::shared_ptr<const proxy::Plan>, 3>& plans() {
  static const std::array<std::shared_ptr<const proxy::Plan>, 3> kPlans{
      made_plan("unlimited", "keepalive: on"), made_plan("50", "keepalive: off"),
      made_plan("unlimited", "http: \"1.0\", retries: 3")};
  return kPlans;
}

bool may_be_repeated(std::string_view method) {
  constexpr std::array<std::string_view, 6> kSafe{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  return std::ranges::find(kSafe, method) != kSafe.end();
}

Manner manner_of(unsigned number) {
  constexpr std::array<Manner, 8> kManners{
      Manner{},
      Manner{.most_read = 1},
      Manner{.most_written = 1},
      Manner{.most_read = 7, .most_written = 7},
      Manner{.capacity = 1},
      Manner{.capacity = 50},
      Manner{.most_read = 100, .most_written = 100, .capacity = 100},
      Manner{.most_read = 3, .capacity = 4000},
  };
  return kManners[number % kManners.size()];
}

/// A client's connection, and what a reader of its own makes of it.
struct Client {
  std::size_t number;
  FarEnd end;
  std::unique_ptr<proxy::Connection> connection;  // null: it is over
  Reading asked, answers;
  std::vector<const Message*> final;  // of the answers
};

std::string identity_of(const Client& client, std::size_t request) {
  return fmt::format("{:x}-{:x}", client.number, request + 1);
}

/// One input's conversation.
class Play final : public proxy::ConnectionOwner {
 public:
  explicit Play(std::string_view script);
  ~Play() {
    for (const auto& client : clients_) client->connection.reset();
  }

  void run();
  void judge();

 private:
  const std::shared_ptr<proxy::WorkerPlan>& newest_plan() const override { return plan_; }
  void connection_over(proxy::Connection& connection) override;
  std::shared_ptr<proxy::WorkerPlan> worker_plan(std::size_t number);
  void begin();
  void take_step(char what, std::string_view rest);
  void take_connection_step(char what);
  void take_end_step(char what, std::string_view rest);
  void turn();
  void settle();
  void finish();
  void let_talk();
  void answer_by_itself(FarEnd& end);
  void speak(FarEnd& end, std::string_view text);
  std::size_t progress() const;
  FarEnd* upstream(std::size_t before_newest);

  void read_client(Client& client);
  void judge_client(const Client& client);
  void judge_upstream(const FarEnd& end);
  void judge_request(const Message& message, const std::string& identity);
  void judge_marks(const Message& answer, const std::string& identity);
  void judge_lines(const Client& client);
  const Message& asked(const std::string& identity, const Client*& by);

  std::string_view script_;
  bool hasty_ = false;  // one turn only behind each step
  std::size_t at_first_ = allocated();
  ManualClock clock_;
  Instant begun_ = clock_.now();
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  proxy::MadeJournal journal_;
  loop::WaitSlot place_freed_;
  stories::MemoryNetwork network_;
  tls::Scratch records_, parent_records_;
  http::Desk desk_{buffers_};
  proxy::Pool pool_{reactor_};
  proxy::House house_{reactor_, buffers_, network_,        journal_,     desk_,
                      pool_,    records_, parent_records_, place_freed_, 0};
  std::vector<std::shared_ptr<const proxy::Targets>> targets_;
  std::shared_ptr<proxy::WorkerPlan> plan_;
  std::size_t plan_number_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<FarEnd>> upstreams_;
  std::string automatic_;  // what upstreams say to each request
  struct Said {
    const FarEnd* by;
    std::size_t request;  // of those that it has heard, from 0
  };
  std::vector<Said> marks_;
  std::map<const FarEnd*, std::vector<std::string>> heard_;  // identities of requests, as they came
  std::map<std::string, int> whole_;                         // how often each was heard completely
  std::set<std::string> switched_;                           // identities of requests
};

Play::Play(std::string_view script)
    : script_(script.substr(std::min<std::size_t>(4, script.size()))),
      network_(reactor_, manner_of(script.empty() ? 0 : static_cast<unsigned char>(script[0]) - '0')) {
  auto option = [&](std::size_t at) {
    return script.size() > at ? static_cast<unsigned>(static_cast<unsigned char>(script[at]) - '0') & 255 : 0;
  };
  hasty_ = (option(1) & 1) != 0;
  bool blocks = (option(1) & 2) != 0;
  int fault = static_cast<int>(option(2)) - 1;
  if (fault >= 0 && blocks) network_.faults().block(fault);
  if (fault >= 0 && !blocks) network_.faults().fail(fault, {.code = Errc::reset, .doing = "a fault"});
  plan_number_ = option(3) % plans().size();
  plan_ = worker_plan(plan_number_);
  for (const char* address : {"192.0.2.1:80", "192.0.2.2:80"}) {
    network_.listen(proxy::made_address(address), [this](net::AnyStream far) {
      upstreams_.push_back(std::make_unique<FarEnd>());
      upstreams_.back()->stream = std::move(far);
    });
  }
}

std::shared_ptr<proxy::WorkerPlan> Play::worker_plan(std::size_t number) {
  auto made = std::make_shared<proxy::WorkerPlan>();
  made->plan = plans()[number];
  for (const auto& upstream : made->plan->upstreams) {
    targets_.push_back(proxy::made_targets(upstream->config));
    made->upstreams.push_back(std::make_shared<proxy::UpstreamView>(upstream, targets_.back(), 1));
  }
  return made;
}

void Play::connection_over(proxy::Connection& connection) {
  auto same = [&](const auto& client) { return client->connection.get() == &connection; };
  auto found = std::ranges::find_if(clients_, same);
  CHECK(found != clients_.end());
  (*found)->connection.reset();
}

// Of one client more.
void Play::begin() {
  if (clients_.size() == kMostClients) return;
  clients_.push_back(std::make_unique<Client>(Client{.number = clients_.size() + 1}));
  Client& client = *clients_.back();
  auto [near, far] = network_.pair("client");
  client.end.stream = std::move(far);
  proxy::Facts facts;
  facts.id = client.number;
  facts.peer = facts.client = proxy::made_address("10.0.0.9:1234");
  facts.destination = proxy::made_address("198.51.100.1:80");
  facts.accepted = reactor_.now();
  facts.accepted_wall = reactor_.wall();
  client.connection =
      std::make_unique<proxy::Connection>(house_, *this, plan_, *plan_->plan->listener("front"),
                                          std::move(near), std::move(facts), proxy::Places());
  client.connection->begin();
}

void Play::run() {
  begin();
  for (std::string_view left = script_; !left.empty();) {
    std::string_view step = left.substr(0, left.find('|'));
    left.remove_prefix(std::min(left.size(), step.size() + 1));
    bool at_once = step.starts_with('&');  // together with what follows
    if (at_once) step.remove_prefix(1);
    if (!step.empty()) take_step(step.front(), step.substr(1));
    if (at_once) continue;
    if (hasty_)
      turn();
    else
      settle();
  }
  finish();
}

FarEnd* Play::upstream(std::size_t before_newest) {
  if (before_newest >= upstreams_.size()) return nullptr;
  return upstreams_[upstreams_.size() - 1 - before_newest].get();
}

// Small letters are for the newest client and for what concerns all, capital ones for an upstream: the one
// whose connection is the newest, or with a digit in front of the rest, an earlier one.
void Play::take_step(char what, std::string_view rest) {
  FarEnd& client = clients_.back()->end;
  switch (what) {
    case 'c':
      client.waiting += rest;
      break;
    case 'e':
      client.ends = true;
      break;
    case 'r':
      client.leave();
      break;
    case 'p':
      client.listens = !client.listens;
      break;
    case 'a':
      automatic_ = rest;
      break;
    case 't':
      clock_.advance(std::min<std::size_t>(rest.size(), 300) * 100ms);
      break;
    case 'n':
    case 'l':
    case 'd':
    case 'x':
      take_connection_step(what);
      break;
    default:
      take_end_step(what, rest);
  }
}

void Play::take_connection_step(char what) {
  proxy::Connection* connection = clients_.back()->connection.get();
  if (what == 'n') begin();
  if (what == 'l') {
    plan_number_ = (plan_number_ + 1) % plans().size();
    plan_ = worker_plan(plan_number_);
  }
  if (what == 'd' && connection) connection->close_soon();
  if (what == 'x' && connection) connection->cut(Errc::shutting_down, "draining");
}

void Play::take_end_step(char what, std::string_view rest) {
  bool numbered = !rest.empty() && rest.front() >= '0' && rest.front() <= '3';
  FarEnd* end = upstream(numbered ? static_cast<std::size_t>(rest.front() - '0') : 0);
  if (numbered) rest.remove_prefix(1);
  if (!end) return;
  if (what == 'U') speak(*end, rest);
  if (what == 'E') end->ends = true;
  if (what == 'R') end->leave();
  if (what == 'P') end->listens = !end->listens;
}

// Speaks once it has heard all that was said to it, and what comes of what it has said before: else what it
// says could pass a request on its way. What it cannot say at once has no marks.
void Play::speak(FarEnd& end, std::string_view text) {
  int counted = -1;
  std::size_t last = 0;
  for (int quiet = 0; quiet < kQuietTurns;) {
    end.hear();
    end.say();
    reactor_.turn(Duration::zero());
    bool moved = progress() != last || counted != network_.faults().counted();
    last = progress();
    counted = network_.faults().counted();
    quiet = moved ? 0 : quiet + 1;
  }
  bool open = end.waiting.empty() && marks_.size() < kMostMarks && text.contains('@');
  std::string said(text);
  for (char& c : said) {
    if (static_cast<unsigned char>(c) >= kFirstMark) c = '?';
    if (c == '@') c = open ? static_cast<char>(kFirstMark + marks_.size()) : '?';
  }
  if (open) {
    auto begun = read_requests(end.heard, Hand::ours).messages.size();
    marks_.push_back({&end, begun > 0 ? begun - 1 : 0});
  }
  end.waiting += said;
  end.say();
}

void Play::answer_by_itself(FarEnd& end) {
  if (automatic_.empty() || !end.stream) return;
  auto reading = read_requests(end.heard, Hand::ours);
  auto whole = static_cast<std::size_t>(std::ranges::count_if(reading.messages, &Message::complete));
  if (whole <= end.answered) return;
  end.answered = whole;
  speak(end, automatic_);
}

void Play::let_talk() {
  for (const auto& client : clients_) {
    if (client->end.listens) client->end.hear();
    client->end.say();
  }
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    FarEnd& end = *upstreams_[i];
    std::size_t before = end.heard.size();
    if (end.listens) end.hear();
    if (end.heard.size() != before) answer_by_itself(end);
    end.say();
  }
}

void Play::turn() {
  let_talk();
  reactor_.turn(Duration::zero());
  CHECK(allocated() <= at_first_ + kMostMemory);
}

std::size_t Play::progress() const {
  std::size_t all = static_cast<std::size_t>(network_.live()) + upstreams_.size();
  for (const auto& client : clients_) all += client->end.progress();
  for (const auto& end : upstreams_) all += end->progress();
  return all;
}

void Play::settle() {
  int counted = -1;
  std::size_t last = 0;
  for (int quiet = 0, turns = 0; quiet < kQuietTurns; ++turns) {
    CHECK(turns < kMostTurns);
    turn();
    bool moved = progress() != last || counted != network_.faults().counted();
    last = progress();
    counted = network_.faults().counted();
    quiet = moved ? 0 : quiet + 1;
  }
}

void Play::finish() {
  settle();
  auto goes_on = [](const auto& client) { return client->connection != nullptr; };
  while (std::ranges::any_of(clients_, goes_on)) {
    clock_.advance(kStep);
    settle();
    CHECK(clock_.now() - begun_ < kPatience);
  }
  for (const auto& client : clients_) client->end.listens = true;
  for (const auto& end : upstreams_) end->listens = true;
  settle();
  clock_.advance(kPooled);
  settle();
  CHECK(pool_.size() == 0);
  for (const auto& targets : targets_) {
    for (const auto& target : *targets) CHECK(target.endpoint->connections() == 0);
  }
  int own = 0;
  for (const auto& client : clients_) own += client->end.stream ? 1 : 0;
  for (const auto& end : upstreams_) own += end->stream ? 1 : 0;
  CHECK(network_.live() == own);
}

// Who has asked and was answered what, by a reader of its own.

void Play::judge() {
  for (const std::string& line : journal_.lines) {
    auto at = line.find(" request=");
    if (at != std::string::npos && line.contains(" status=101 ")) {
      at += std::string_view(" request=").size();
      switched_.insert(line.substr(at, line.find(' ', at) - at));
    }
  }
  for (const auto& client : clients_) read_client(*client);
  for (const auto& end : upstreams_) judge_upstream(*end);
  for (const auto& client : clients_) judge_client(*client);
}

void Play::read_client(Client& client) {
  client.asked = read_requests(client.end.said, Hand::anybodys);
  std::vector<std::string> methods;
  for (const Message& message : client.asked.messages)
    methods.push_back(message.headed ? message.method : "");
  client.answers = read_answers(client.end.heard, methods);
  // Of what could not be read as a request the method is unknown.
  std::size_t last = static_cast<std::size_t>(std::ranges::count_if(
      client.answers.messages, [](const Message& one) { return one.headed && !one.is_interim(); }));
  bool refused = !client.answers.wrong.empty() && last > 0 && last <= methods.size();
  if (refused) methods[last - 1] = "";
  if (refused) client.answers = read_answers(client.end.heard, methods);
  for (const Message& answer : client.answers.messages) {
    if (answer.headed && !answer.is_interim()) client.final.push_back(&answer);
  }
}

void Play::judge_client(const Client& client) {
  CHECK(client.answers.wrong.empty());
  std::size_t asked = client.asked.messages.size(), answered = client.final.size();
  CHECK(answered <= asked);
  bool in_order = client.end.heard_end && !client.end.broken && client.end.stream;
  bool known = answered == 0 || client.asked.messages[answered - 1].headed;
  bool begun = !client.answers.messages.empty() && client.answers.messages.back().headed;
  if (in_order && known && begun) CHECK(client.answers.messages.back().complete);
  for (std::size_t i = 0; i < answered; ++i) judge_marks(*client.final[i], identity_of(client, i));
  judge_lines(client);
}

// One request behind the other, and behind a switch of protocols what its client has said behind the request.
void Play::judge_upstream(const FarEnd& end) {
  std::vector<std::string>& identities = heard_[&end];
  auto is_last = [&](const std::string& identity) { return switched_.contains(identity); };
  Reading reading = read_requests(end.heard, Hand::ours, is_last);
  for (const Message& message : reading.messages) {
    if (!message.headed) break;
    auto identity = message.value("X-Id");
    CHECK(identity);
    CHECK(std::ranges::find(identities, *identity) == identities.end());
    identities.emplace_back(*identity);
    judge_request(message, identities.back());
  }
  CHECK(reading.wrong.empty());
  if (reading.end == end.heard.size() || !reading.messages.back().complete) return;
  const Client* client = nullptr;
  const Message& last = asked(identities.back(), client);
  CHECK(is_last(identities.back()));
  std::string_view behind = std::string_view(client->end.said).substr(last.end);
  CHECK(behind.starts_with(std::string_view(end.heard).substr(reading.end)));
}

const Message& Play::asked(const std::string& identity, const Client*& by) {
  std::size_t dash = identity.find('-');
  CHECK(dash != std::string::npos);
  std::size_t client = std::stoull(identity.substr(0, dash), nullptr, 16),
              number = std::stoull(identity.substr(dash + 1), nullptr, 16);
  CHECK(client > 0 && client <= clients_.size());
  by = clients_[client - 1].get();
  CHECK(number > 0 && number <= by->asked.messages.size());
  return by->asked.messages[number - 1];
}

void Play::judge_request(const Message& message, const std::string& identity) {
  const Client* client = nullptr;
  const Message& origin = asked(identity, client);
  CHECK(message.fields.front().first == "Host");
  CHECK(origin.headed && origin.method == message.method && origin.body.starts_with(message.body));
  if (origin.target == "/" || origin.target == "/a") CHECK(message.target == origin.target);
  if (!message.complete) return;
  CHECK(origin.complete && origin.body == message.body);
  CHECK(++whole_[identity] == 1 || may_be_repeated(message.method));
}

// Each mark in an answer was made for that request.
void Play::judge_marks(const Message& answer, const std::string& identity) {
  std::string text = answer.body;
  for (const auto& [name, value] : answer.fields) text += value;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < kFirstMark) continue;
    std::size_t mark = static_cast<unsigned char>(c) - kFirstMark;
    CHECK(mark < marks_.size());
    const auto& identities = heard_[marks_[mark].by];
    if (marks_[mark].request >= identities.size()) continue;  // it was answered before its head was heard
    CHECK(identities[marks_[mark].request] == identity);
  }
}

// One line for each request, in order, with the status that the client has seen.
void Play::judge_lines(const Client& client) {
  std::size_t number = 0;
  for (const std::string& line : journal_.lines) {
    if (!line.contains(fmt::format(" request={:x}-", client.number))) continue;
    CHECK(line.contains(" request=" + identity_of(client, number) + " "));
    ++number;
    if (number > client.final.size() || !client.final[number - 1]->complete) continue;
    CHECK(line.contains(fmt::format(" status={} ", client.final[number - 1]->status)));
  }
  CHECK(number >= client.final.size() || number == 0);
  CHECK(number <= client.asked.messages.size());
}

void play(std::string_view script) {
  Play play(script);
  play.run();
  play.judge();
}

// What is made once only is not an input's doing.
bool warm_up() {
  play("0000aHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n@|cGET /a HTTP/1.1\r\nHost: a\r\n\r\n|e");
  return true;
}

}  // namespace
}  // namespace lockgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace lockgate;
  static const bool warm = fuzz::warm_up();
  CHECK(warm);
  fuzz::play(as_text(Bytes(reinterpret_cast<const std::byte*>(bytes), size)));
  return 0;
}
