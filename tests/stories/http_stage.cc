#include "stories/http_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace lockgate::stories {

using namespace std::chrono_literals;
using loop::Task;

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
// Longer than all that one play may wait for.
constexpr Duration kPatience = 300s, kLongPatience = 7h;
constexpr Duration kStep = 200ms, kLongStep = 20s;
constexpr int kQuiet = 6;  // turns without anything, before time passes
constexpr int kMostTurns = 300'000;

constexpr std::string_view kConfig = R"(
defaults:
  timeouts: { connect: 5s, idle: 60s, half_closed: 10s }
  http: { head_timeout: 5s, keepalive: 10s, body_timeout: 6s }
  forward: { via: off, client_fields: [], first_byte: 15s, idle: 8s, tunnel: 20s }
upstreams:
  one: { endpoints: ["http://192.0.2.1:80"], ejection: { failures: 0 } }
  two: { endpoints: ["http://192.0.2.9:80", "http://192.0.2.1:80"], ejection: { failures: 0 } }
  own: { endpoints: ["http://192.0.2.1:80"], sticky: { own_cookie: GATE } }
  session: { endpoints: [{ url: "http://192.0.2.9:80", name: n9 }, { url: "http://192.0.2.1:80", name: n1 }],
             sticky: { cookie: JSESSIONID, path_parameter: jsessionid }, max_connections: 1 }
  none: { endpoints: ["http://192.0.2.9:80"], ejection: { failures: 0 } }
bans: { rules: [{ name: scanners, on: trap }] }
listeners:
  - name: front
    bind: 127.0.0.1:8080
    sites:
)";

// The lines of a head, without what frames its body, and with a date that stands for all.
std::string plain_head(std::string_view head, bool framed) {
  std::string text;
  while (!head.empty()) {
    std::string line(head.substr(0, head.find("\r\n") + 2));
    head.remove_prefix(line.size());
    if (line.starts_with("Date: ")) line = "Date: today\r\n";
    bool frames = line.starts_with("Content-Length: ") || line.starts_with("Transfer-Encoding: ");
    if (!framed || !frames) text += line;
  }
  return text;
}

std::string_view value_in(std::string_view head, std::string_view name) {
  auto at = head.find(name);
  if (at == head.npos) return {};
  std::string_view value = head.substr(at + name.size());
  return value.substr(0, value.find("\r\n"));
}

// The chunks at the beginning of `text`, as far as they have come; how much of it they are.
std::size_t read_chunks(std::string_view text, Message& message) {
  std::size_t at = 0;
  for (;;) {
    auto line = text.find("\r\n", at);
    if (line == text.npos) return text.size();
    std::size_t size = 0;
    std::from_chars(text.data() + at, text.data() + line, size, 16);
    at = line + 2;
    if (size == 0) break;
    std::string_view chunk = text.substr(at, size);
    message.body += chunk;
    if (text.size() < at + size + 2) return text.size();
    at += size + 2;
  }
  for (;;) {
    auto line = text.find("\r\n", at);
    if (line == text.npos) return text.size();
    std::string_view trailer = text.substr(at, line + 2 - at);
    at = line + 2;
    if (trailer.size() == 2) break;
    message.trailers += trailer;
  }
  message.complete = true;
  return at;
}

Message message_in(std::string_view text, bool heads) {
  Message message;
  auto end = text.find(kHeadEnd);
  if (end == text.npos) {  // of a head, what has come in whole lines
    auto lines = text.rfind("\r\n");
    std::string_view there = lines == text.npos ? std::string_view() : text.substr(0, lines + 2);
    return {.head = plain_head(there, true), .size = text.size()};
  }
  std::string_view head = text.substr(0, end + 2), rest = text.substr(end + kHeadEnd.size());
  bool answer = head.starts_with("HTTP/1."), interim = head.starts_with("HTTP/1.1 1");
  bool bodyless = answer && (heads || interim || head.substr(9, 3) == "204" || head.substr(9, 3) == "304");
  std::string_view length = value_in(head, "\r\nContent-Length: ");
  bool chunked = head.contains("\r\nTransfer-Encoding: chunked");
  std::size_t size = 0;
  message.complete = true;
  if (!bodyless && chunked) {
    message.complete = false;
    size = read_chunks(rest, message);
  } else if (!bodyless && !length.empty()) {
    std::size_t told = 0;
    std::from_chars(length.data(), length.data() + length.size(), told);
    message.body = rest.substr(0, told);
    size = message.body.size();
    message.complete = size == told;
  }
  bool until_close = answer && !bodyless && !chunked && length.empty();
  bool switches =
      head.starts_with("HTTP/1.1 101") || (head.contains("\r\nUpgrade: ") && !rest.starts_with("GET "));
  if (until_close || (switches && length.empty() && !chunked)) {
    message.until_close = true;
    message.body = rest;
    size = rest.size();
  }
  message.head = plain_head(head, !bodyless);
  message.size = end + kHeadEnd.size() + size;
  return message;
}

}  // namespace

std::string Message::text() const {
  std::string all = head + "\n" + body + "\n" + trailers;
  return complete ? all : all + "(and something is missing)";
}

std::vector<Message> messages_in(std::string_view text, bool heads) {
  std::vector<Message> messages;
  while (!text.empty()) {
    messages.push_back(message_in(text, heads));
    text.remove_prefix(messages.back().size);
  }
  return messages;
}

std::string field_of(const std::string& line, const std::string& name) {
  auto at = (" " + line).find(" " + name + "=");
  if (at == std::string::npos) return "";
  auto value = line.substr(at + name.size() + 1);
  return value.front() == '"' ? value.substr(1, value.find('"', 1) - 1) : value.substr(0, value.find(' '));
}

HttpStage::HttpStage(const HttpPlay& play, const Manner& manner) : play_(play), network_(reactor_, manner) {
  plan_ = made_plan(sites(play.routes, play.site));
  network_.listen(proxy::made_address("192.0.2.1:80"), [this](net::AnyStream far) {
    upstreams_.push_back(std::make_unique<End>());
    End& end = *upstreams_.back();
    end.take(std::move(far), reactor_);
    scope_.spawn(play_upstream(end));
  });
}

HttpStage::~HttpStage() { connection_.reset(); }

std::shared_ptr<proxy::WorkerPlan> HttpStage::made_plan(const std::string& sites) {
  auto made = std::make_shared<proxy::WorkerPlan>();
  made->plan = proxy::made_plan(play_.top + std::string(kConfig) + sites, registry_);
  for (const auto& upstream : made->plan->upstreams) {
    targets_.push_back(proxy::made_targets(upstream->config, [this] { place_freed_.wake_all(); }));
    made->upstreams.push_back(std::make_shared<proxy::UpstreamView>(upstream, targets_.back(), 1));
  }
  for (const auto& pattern : made->plan->patterns) made->regexes.push_back(*Regex::compile(pattern));
  return made;
}

void HttpStage::begin() {
  auto [near, far] = network_.pair("client");
  client_.take(std::move(far), reactor_);
  proxy::Facts facts;
  facts.id = 1;
  facts.peer = facts.client = proxy::made_address("10.0.0.9:1234");
  facts.destination = proxy::made_address("198.51.100.1:80");
  facts.accepted = reactor_.now();
  facts.accepted_wall = reactor_.wall();
  connection_ = std::make_unique<proxy::Connection>(house_, *this, plan_, *plan_->plan->listener("front"),
                                                    std::move(near), std::move(facts), proxy::Places());
  scope_.spawn(play_client());
  connection_->begin();
}

void HttpStage::connection_over(proxy::Connection&) {
  ++over_;
  connection_.reset();
}

std::size_t HttpStage::progress() const {
  std::size_t all = static_cast<std::size_t>(network_.live()) + client_.heard.text.size() + upstreams_.size();
  for (const auto& end : upstreams_) all += end->heard.text.size();
  return all;
}

bool HttpStage::finish() {
  int quiet = 0, counted = 0;
  std::size_t last = 0;
  for (int turns = 0; over_ == 0 && turns < kMostTurns; ++turns) {
    std::size_t now = progress();
    bool moved = now != last || counted != faults().counted();
    last = now;
    counted = faults().counted();
    quiet = moved ? 0 : quiet + 1;
    if (quiet > kQuiet) clock_.advance(play_.hours ? kLongStep : kStep);
    if (took() > (play_.hours ? kLongPatience : kPatience)) return false;
    turn(1);
  }
  turn(60);  // what is still under way arrives
  return over_ > 0;
}

void HttpStage::turn(int turns) {
  for (int i = 0; i < turns; ++i) {
    moved_.wake_all();
    while (registry_.guards.passwords.check_next()) continue;
    reactor_.turn(Duration::zero());
  }
}

Task<void> HttpStage::turn_over() {
  loop::Wait wait(reactor_, moved_, kNever);
  co_await wait;
}

// What either end may do. False if the end's part is over: what it waits for will never come, or it goes.
Task<bool> HttpStage::act(const Step& step, End& end, std::size_t& mark) {
  switch (step.act) {
    case Step::Act::says: {
      auto saying = say(*end.stream, step.text, false);
      co_await saying;
      break;
    }
    case Step::Act::hears: {
      while (end.heard.text.find(step.text, mark) == std::string::npos) {
        if (end.heard.ended || end.heard.error) co_return false;
        auto turning = turn_over();
        co_await turning;
      }
      mark = end.heard.text.find(step.text, mark) + step.text.size();
      break;
    }
    case Step::Act::listens:
      while (!end.heard.ended && !end.heard.error) {
        auto turning = turn_over();
        co_await turning;
      }
      co_return false;
    case Step::Act::waits: {
      loop::Sleep sleep(reactor_, clock_.now() + step.time);
      co_await sleep;
      break;
    }
    case Step::Act::leaves:
      end.listening.reset();
      end.stream->abort();
      end.stream.reset();
      co_return false;
    case Step::Act::reload:
      plan_ = made_plan(play_.reload);
      break;
    case Step::Act::whole:
    case Step::Act::ends:
    case Step::Act::stays:
      co_return false;
  }
  co_return true;
}

Task<void> HttpStage::finish_end(End& end) {
  if (!end.stream || end.heard.error) co_return;
  auto finishing = net::finish(*end.stream, kNever);
  co_await loop::attempt(std::move(finishing));
}

// So many answers, or the end.
Task<void> HttpStage::hear_answer(std::ptrdiff_t count) {
  auto is_answer = [](const Message& one) { return one.complete && !one.until_close && !one.is_interim(); };
  for (;;) {
    if (client_.heard.ended || client_.heard.error) co_return;
    if (std::ranges::count_if(messages_in(client_.heard.text, play_.heads), is_answer) >= count) co_return;
    auto turning = turn_over();
    co_await turning;
  }
}

Task<void> HttpStage::play_client() {
  std::size_t mark = 0;
  std::ptrdiff_t answers = 0;
  for (const Step& step : play_.client) {
    if (step.act == Step::Act::stays) co_return;
    bool goes_on = true;
    if (step.act == Step::Act::whole) {
      auto hearing = hear_answer(++answers);
      co_await hearing;
    } else {
      auto acting = act(step, client_, mark);
      goes_on = co_await acting;
    }
    if (!goes_on) break;
  }
  auto finishing = finish_end(client_);
  co_await finishing;
}

// All of the message that begins there; an incomplete one if no more will come.
Task<Message> HttpStage::hear_request(End& end, std::size_t begin) {
  for (;;) {
    Message message = message_in(std::string_view(end.heard.text).substr(begin), false);
    if (message.complete || end.heard.ended || end.heard.error) co_return message;
    auto turning = turn_over();
    co_await turning;
  }
}

Task<void> HttpStage::play_upstream(End& end) {
  std::size_t begin = 0;
  for (int calls = 0;; ++calls) {
    std::size_t mark = begin;
    const Step asking = hears("\r\n\r\n");
    auto waiting = act(asking, end, mark);
    bool goes_on = co_await waiting;
    auto reply = std::ranges::find_if(play_.replies, [&](const Reply& one) {
      return std::string_view(end.heard.text).substr(begin).starts_with(one.asked);
    });
    if (!goes_on || reply == play_.replies.end()) break;
    for (const Step& step : calls > 0 && !reply->reused.empty() ? reply->reused : reply->steps) {
      if (step.act == Step::Act::stays) co_return;
      if (step.act == Step::Act::whole) {
        auto hearing = hear_request(end, begin);
        Message message = co_await hearing;
        goes_on = message.complete;
      } else {
        auto acting = act(step, end, mark);
        goes_on = co_await acting;
      }
      if (!goes_on) break;
    }
    if (!goes_on) break;
    auto hearing = hear_request(end, begin);
    Message message = co_await hearing;
    if (!message.complete) break;
    begin += message.size;
  }
  auto finishing = finish_end(end);
  co_await finishing;
}

void HttpStage::expect_empty() const {
  EXPECT_EQ(registry_.guards.rates.counts().keys(), 0u);
  for (const auto& rate : registry_.guards.rates.tallies()) EXPECT_EQ(rate->waiting(), 0u);
  for (const auto& targets : targets_) {
    for (const auto& target : *targets) EXPECT_EQ(target.endpoint->connections(), 0u);
  }
  int own = client_.stream ? 1 : 0;
  for (const auto& end : upstreams_) own += end->stream ? 1 : 0;
  EXPECT_EQ(network_.live(), own + static_cast<int>(pool_.size()));
}

std::vector<std::string> HttpStage::lines() const {
  std::vector<std::string> found;
  for (const std::string& line : journal_.lines) {
    if (field_of(line, "request").empty()) continue;
    std::string status = field_of(line, "status");
    found.push_back((status.empty() ? "none" : status) + " " + field_of(line, "outcome"));
  }
  return found;
}

void HttpStage::expect_lines() const {
  EXPECT_EQ(over_, 1);
  std::size_t number = 0;
  for (const std::string& line : journal_.lines) {
    std::string request = field_of(line, "request");
    if (!request.empty()) EXPECT_EQ(request, fmt::format("1-{:x}", ++number));
  }
  EXPECT_LE(number, play_.lines.size() + play_.stray);
}

void HttpStage::expect_as_written() const {
  if (play_.varies) return expect_no_untruth();
  auto heard = messages_in(client_.heard.text, play_.heads);
  std::vector<std::string> texts;
  for (const Message& message : heard) texts.push_back(message.text());
  std::vector<std::string> expected;
  for (const std::string& text : play_.hears)
    expected.push_back(messages_in(text, play_.heads).front().text());
  EXPECT_EQ(texts, expected);
  if (client_.stream) EXPECT_EQ(client_.heard.error.has_value(), play_.broken);
  texts.clear();
  expected.clear();
  for (const auto& end : upstreams_) {
    for (const Message& message : messages_in(end->heard.text)) texts.push_back(message.text());
  }
  for (const std::string& text : play_.reach) expected.push_back(messages_in(text).front().text());
  EXPECT_EQ(texts, expected);
  EXPECT_EQ(connections(), play_.connections);
  EXPECT_EQ(lines(), play_.lines);
}

// Each message that the client has heard is the answer that is written, or a page of ours in its place.
void HttpStage::expect_told_truth() const {
  auto heard = messages_in(client_.heard.text, play_.heads);
  std::vector<Message> expected;
  for (const std::string& text : play_.hears) expected.push_back(messages_in(text, play_.heads).front());
  auto next = expected.begin();
  bool ended = client_.heard.ended;
  for (const Message& message : heard) {
    if (message.is_interim() && message.complete) continue;
    while (next != expected.end() && next->is_interim()) ++next;
    if (message.is_own_page() && message.complete) {
      // What could not be read as a request may have been one for a body.
      if (play_.heads && message.head.contains("Connection: close")) return;
      if (next != expected.end()) ++next;
      continue;
    }
    if (message.complete && !(message.until_close && !ended)) {
      ASSERT_NE(next, expected.end()) << message.text();
      bool better = std::ranges::any_of(play_.otherwise, [&](const std::string& text) {
        return messages_in(text).front().text() == message.text();
      });
      if (!better) EXPECT_EQ(message.text(), next->text());
      ++next;
      continue;
    }
    EXPECT_FALSE(ended) << "and it looks complete: " << message.text();
    if (message.body.empty() || message.body.contains("\n")) continue;
    ASSERT_NE(next, expected.end()) << message.text();
    EXPECT_TRUE(next->body.starts_with(message.body)) << message.text();
  }
}

// No upstream has heard anything but what the client has asked for, and nothing that must not be repeated
// twice.
void HttpStage::expect_asked_truth() const {
  std::vector<std::string> once;
  for (const auto& end : upstreams_) {
    for (const Message& message : messages_in(end->heard.text)) {
      auto same = [&](const std::string& text) {
        Message expected = messages_in(text).front();
        if (message.complete && expected.complete && !message.until_close)
          return message.text() == expected.text();
        return expected.head.starts_with(message.head) && expected.body.starts_with(message.body);
      };
      EXPECT_TRUE(std::ranges::any_of(play_.reach, same)) << message.text();
      if (!message.complete || !message.head.starts_with("POST")) continue;
      auto count = std::ranges::count(once, message.text());
      EXPECT_LT(count, std::ranges::count_if(play_.reach, same)) << "twice: " << message.text();
      once.push_back(message.text());
    }
  }
}

void HttpStage::expect_no_untruth() const {
  expect_told_truth();
  expect_asked_truth();
}

}  // namespace lockgate::stories
