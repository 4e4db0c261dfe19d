// The stapler and its responder over memory streams: what it asks, when, and what clients get.
#include <gtest/gtest.h>

#include "loop/scope.h"
#include "proxy/made_house.h"
#include "proxy/stapler.h"
#include "stories/memory_stream.h"
#include "tls/made_answer.h"
#include "wire/http_head.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;
using tls::made::Answer;

constexpr WallTime kSecond = 1'000'000'000;
const SocketAddress kResponder = proxy::made_address("192.0.2.80:8080");

// A responder that says what it is told to, and what the stapler makes of it. It is kSecondsNow when it
// begins.
class Stapling : public testing::Test {
 protected:
  Stapling() {
    auto made = tls::parse_pem(tls::made::pem(www_) + tls::made::pem(issuer_), tls::made::key_pem(www_), "");
    CHECK(made);
    identity_ = *made;
    reactor_.turn(Duration::zero());
    network_.listen(kResponder, [this](net::AnyStream stream) {
      ++asked_;
      if (silent_) return kept_.push_back(std::move(stream));
      scope_.spawn(serve(std::move(stream)));
    });
  }

  loop::Task<void> serve(net::AnyStream stream) {
    std::string request;
    std::array<std::byte, 1000> room{};
    for (;;) {
      auto reading = net::read(*stream, room, kNever);
      std::size_t size = co_await reading;
      request += as_text(Bytes(room).first(size));
      auto head = wire::parse_request_head(as_bytes(request));
      if (!head || !*head) continue;
      auto length = static_cast<std::size_t>(std::stoul(std::string(*(**head).field("content-length"))));
      if (size == 0 || request.size() >= (**head).size + length) break;
    }
    request_ = request;
    auto saying = say(*stream, says_, ends_);
    co_await saying;
    if (!ends_) kept_.push_back(std::move(stream));
  }

  /// What the responder says from now on.
  void say_answer(Answer answer = {}) {
    answer.from = seconds() - 60;
    answer.until = answer.until == 0 ? 0 : seconds() + good_for_;
    answer_ = tls::made::answer_about(www_.certificate.get(), issuer_, issuer_, answer);
    says_ = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n" + answer_;
  }

  void take() { stapler_.take(wanted(), std::make_shared<net::Resolver>(reactor_, net::ResolverOptions{})); }
  std::map<std::string, tls::Stapled> wanted() const {
    return {
        {identity_->fingerprint,
         {.name = "www", .identity = identity_, .responder = {"192.0.2.80", 8080, "/ask"}, .staples = {}}}};
  }

  std::int64_t seconds() const { return clock_.wall() / kSecond; }
  /// Time passes, and all that follows from it happens.
  void pass(Duration time = {}) {
    clock_.advance(time);
    for (int i = 0; i < 200; ++i) reactor_.turn(Duration::zero());
  }
  /// As pass(), but in steps of a second: a wait that ends may begin another one.
  void pass_slowly(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.advance(1s);
      for (int n = 0; n < 20; ++n) reactor_.turn(Duration::zero());
    }
  }
  std::string last_told() const { return journal_.told.empty() ? "" : journal_.told.back(); }
  bool has_answer() const { return stapler_.has_answer(identity_->fingerprint); }

  // Made certificates are valid then.
  static ManualClock late() {
    ManualClock clock;
    clock.advance(std::chrono::seconds(tls::made::kSecondsNow) - Duration(clock.wall()));
    return clock;
  }
  ManualClock clock_ = late();
  loop::Reactor reactor_{clock_};
  MemoryNetwork network_{reactor_};
  proxy::MadeJournal journal_;
  tls::made::Signed issuer_ = tls::made::certificate({.common_name = "Issuer", .authority = true});
  tls::made::Signed www_ =
      tls::made::certificate({.common_name = "www", .names = "DNS:www.example.com"}, &issuer_);
  tls::SharedIdentity identity_;
  std::int64_t good_for_ = 10 * 3600;
  std::string says_, answer_, request_;
  bool silent_ = false, ends_ = true;
  int asked_ = 0;
  std::vector<std::string> delivered_;
  WallTime good_until_ = 0;  // of what was delivered last
  std::vector<net::AnyStream> kept_;
  loop::Scope scope_{reactor_};
  proxy::Stapler stapler_{
      reactor_, network_, journal_,
      [this](const tls::Stapled& stapled, const std::shared_ptr<const tls::Staple>& staple) {
        EXPECT_EQ(stapled.name, "www");
        delivered_.push_back(staple->answer);
        good_until_ = staple->good_until;
      }};
};

TEST_F(Stapling, AsksTheResponderAndDeliversWhatItSays) {
  say_answer();
  take();
  pass();
  EXPECT_EQ(delivered_, std::vector{answer_});
  EXPECT_EQ(good_until_, (seconds() + good_for_) * kSecond);
  EXPECT_TRUE(has_answer());
  auto question = tls::ocsp_request(www_.certificate.get(), issuer_.certificate.get());
  EXPECT_EQ(request_,
            "POST /ask HTTP/1.0\r\nHost: 192.0.2.80:8080\r\nConnection: close\r\nContent-Type: "
            "application/ocsp-request\r\nAccept: application/ocsp-response\r\nContent-Length: " +
                std::to_string(question.size()) + "\r\n\r\n" + std::string(as_text(question)));
  EXPECT_EQ(journal_.levels, std::vector{config::LogLevel::debug});
  EXPECT_EQ(network_.live(), 0);
}

TEST_F(Stapling, TakesAnAnswerOfAGivenLengthWithoutWaitingForTheEnd) {
  say_answer();
  says_ = "HTTP/1.0 200 OK\r\ncontent-length: " + std::to_string(answer_.size()) + "\r\n\r\n" + answer_;
  ends_ = false;
  take();
  pass();
  EXPECT_TRUE(has_answer());
}

TEST_F(Stapling, AsksAgainWhenHalfOfTheTimeIsOver) {
  say_answer();
  take();
  pass();
  pass(5h - 10s);
  EXPECT_EQ(asked_, 1);
  say_answer();
  pass(10s);
  pass();
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_.back(), answer_);
}

TEST_F(Stapling, AsksAtMostOnceAMinuteAndAtLeastOnceADay) {
  good_for_ = 90;
  say_answer();
  take();
  pass();
  pass_slowly(58);
  EXPECT_EQ(asked_, 1);
  good_for_ = 1000 * 86'400;
  say_answer();
  pass_slowly(3);
  EXPECT_EQ(asked_, 2);
  pass(24h - 10s);
  EXPECT_EQ(asked_, 2);
  pass(10s);
  pass();
  EXPECT_EQ(asked_, 3);
}

TEST_F(Stapling, KeepsTheLastAnswerUntilItExpires) {
  say_answer();
  take();
  pass();
  says_ = "HTTP/1.1 503 Sorry\r\n\r\n";
  pass(5h);
  pass();
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(last_told(),
            "certificate www: no OCSP answer from http://192.0.2.80:8080/ask: asking the responder: refused "
            "(503 Service Unavailable); the last one stays in use");
  EXPECT_EQ(journal_.levels.back(), config::LogLevel::warning);
  for (int i = 0; i < 4 * 60 + 59; ++i) pass(1min);
  EXPECT_TRUE(has_answer());
  EXPECT_EQ(delivered_.size(), 1u);
  EXPECT_GT(asked_, 7);
  EXPECT_LT(asked_, 13);
  EXPECT_EQ(std::ranges::count(journal_.levels, config::LogLevel::warning), 1) << "told once";
  pass(1min);
  pass();
  EXPECT_FALSE(has_answer());
  EXPECT_EQ(delivered_.size(), 2u);
  EXPECT_EQ(delivered_.back(), "");
  EXPECT_EQ(last_told(), "certificate www is shown without OCSP: its answer has expired");
  say_answer();
  for (int i = 0; i < 61; ++i) pass(1min);
  EXPECT_TRUE(has_answer());
  EXPECT_EQ(delivered_.back(), answer_);
  EXPECT_EQ(journal_.levels.back(), config::LogLevel::info) << last_told();
}

TEST_F(Stapling, TriesAgainWithPausesThatGrow) {
  take();  // says nothing, and ends
  pass();
  std::vector<int> pauses;
  for (int last = 0, minute = 1; pauses.size() < 8; ++minute) {
    int before = asked_;
    pass(1min + 10ms);
    if (asked_ == before) continue;
    pauses.push_back(minute - last);
    last = minute;
  }
  EXPECT_EQ(pauses, (std::vector{1, 2, 4, 8, 16, 32, 60, 60}));
  EXPECT_EQ(journal_.told.front(),
            "certificate www: no OCSP answer from http://192.0.2.80:8080/ask: asking the responder: closed; "
            "clients get none");
}

TEST_F(Stapling, TakesARevokedCertificatesAnswerBackAtOnce) {
  say_answer();
  take();
  pass();
  say_answer({.status = V_OCSP_CERTSTATUS_REVOKED});
  pass(5h);
  pass();
  EXPECT_FALSE(has_answer());
  EXPECT_EQ(delivered_, (std::vector<std::string>{delivered_.front(), ""}));
  EXPECT_TRUE(last_told().contains("the issuer has revoked the certificate")) << last_told();
}

TEST_F(Stapling, TriesAgainWhenTakenAnewOnlyWhereItHasNothing) {
  take();
  pass();
  take();
  pass();
  EXPECT_EQ(asked_, 2);
  say_answer();
  take();
  pass();
  EXPECT_EQ(asked_, 3);
  EXPECT_TRUE(has_answer());
  take();
  pass();
  EXPECT_EQ(asked_, 3);
}

TEST_F(Stapling, ForgetsWhatIsNoLongerInUse) {
  silent_ = true;
  take();
  pass();
  EXPECT_EQ(asked_, 1);
  stapler_.take({}, nullptr);
  pass();
  EXPECT_EQ(network_.live(), 1) << "the responder's end";
  pass(2h);
  EXPECT_EQ(asked_, 1);
  EXPECT_FALSE(has_answer());
}

TEST_F(Stapling, GivesUpOnAResponderThatIsSilentOrTellsWithoutEnd) {
  silent_ = true;
  take();
  pass();
  pass(9s);
  EXPECT_EQ(journal_.told.size(), 0u);
  pass(1001ms);
  EXPECT_TRUE(last_told().contains("timed_out")) << last_told();
  silent_ = false;
  says_ = "HTTP/1.0 200 OK\r\n\r\n" + std::string(70'000, 'x');
  pass(1min);
  pass();
  EXPECT_TRUE(last_told().contains("too_large")) << last_told();
}

TEST_F(Stapling, AsksAFewAtOnceAndAllInTurn) {
  silent_ = true;
  auto one = wanted().begin()->second;
  std::map<std::string, tls::Stapled> many;
  for (char name = 'a'; name < 'a' + 20; ++name) many.emplace(std::string(1, name), one);
  auto resolver = std::make_shared<net::Resolver>(reactor_, net::ResolverOptions{});
  stapler_.take(many, resolver);
  pass();
  EXPECT_EQ(asked_, 8);
  pass_slowly(11);
  EXPECT_EQ(asked_, 16) << "the first ones have given up";
  stapler_.take({*many.rbegin()}, resolver);
  pass_slowly(1);
  EXPECT_EQ(asked_, 17) << "the last one waits for nobody who has left";
}

TEST_F(Stapling, RefusesWhatIsNoAnswer) {
  say_answer();
  std::string cut = answer_.substr(0, answer_.size() - 1), length = std::to_string(answer_.size());
  struct {
    std::string says, tells;
  } cases[] = {{"HTTP/1.0 200 OK\r\n\r\n" + cut, "the answer is no OCSP response"},
               {"HTTP/1.0 200 OK\r\n\r\n", "the answer is no OCSP response"},
               {"HTTP/1.0 200 OK\r\nContent-Length: " + length + "\r\n\r\n" + cut, "closed"},
               {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + answer_, "bad_message"},
               {"HTTP/1.0 200 OK\r\nContent-Length: 70000\r\n\r\n" + answer_, "too_large"},
               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + answer_, "bad_message"},
               {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n" + answer_, "302 Found"},
               {"HTTP/1.1 200 OK\r\n", "closed"},
               {"SSH-2.0-OpenSSH\r\n", "bad_message"}};
  for (const auto& [says, tells] : cases) {
    says_ = says;
    take();
    pass();
    EXPECT_TRUE(last_told().contains(tells)) << tells << " in: " << last_told();
    EXPECT_FALSE(has_answer()) << says;
  }
  EXPECT_TRUE(delivered_.empty());
}

TEST_F(Stapling, EndsWellWhateverFails) {
  say_answer();
  int operations = [&] {
    take();
    pass();
    stapler_.take({}, nullptr);
    return network_.faults().counted();
  }();
  ASSERT_GE(operations, 3);
  for (int nth = 0; nth < operations; ++nth) {
    network_.faults().fail(network_.faults().counted() + nth, {.code = Errc::reset, .doing = "testing"});
    take();
    pass();
    EXPECT_FALSE(has_answer()) << nth;
    EXPECT_TRUE(last_told().contains("testing: reset")) << last_told();
    stapler_.take({}, nullptr);
    pass();
    EXPECT_EQ(network_.live(), 0) << nth;
  }
}

TEST_F(Stapling, CanBeDestroyedAtAnyTime) {
  say_answer();
  for (int turns = 0; turns < 30; ++turns) {
    take();
    for (int i = 0; i < turns; ++i) reactor_.turn(Duration::zero());
    stapler_.take({}, nullptr);
  }
  pass();
  EXPECT_EQ(network_.live(), 0);
}

}  // namespace
}  // namespace lockgate::stories
