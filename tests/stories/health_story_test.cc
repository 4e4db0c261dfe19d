// Health checks by HTTP over memory streams: what is asked, and what is made of each answer.
#include <gtest/gtest.h>

#include "loop/scope.h"
#include "proxy/health_check.h"
#include "proxy/made_house.h"
#include "stories/memory_stream.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;

const SocketAddress kApp = proxy::made_address("192.0.2.1:80");

// An application that says what it is told to, and checks of it.
class Checking {
 public:
  explicit Checking(const std::string& health, const Manner& manner = {}) : network_(reactor_, manner) {
    config_ = proxy::made_config(
        "upstreams:\n  app: { endpoints: 'http://192.0.2.1:80', health: { every: 5s, " + health +
        " } }\nlisteners:\n  - { bind: '127.0.0.1:80', sites: [{ names: [default], plain: "
        "{ to: app } }] }\n");
    auto upstream = std::make_shared<proxy::Upstream>(config_->upstreams.front());
    view_.emplace(upstream, proxy::made_targets(upstream->config), 1);
    network_.listen(kApp, [this](net::AnyStream stream) {
      far_ = std::move(stream);
      scope_.spawn(hear(*far_, heard));
      scope_.spawn(say(*far_, says_, ends_));
    });
  }

  /// What is found if the application says that.
  std::string fault(std::string says, bool ends = true) {
    begin(std::move(says), ends);
    EXPECT_TRUE(turn_until(reactor_, clock_, [&] { return finding_->finished(); }, 5000, 1ms));
    return take();
  }
  void begin(std::string says, bool ends = true) {
    says_ = std::move(says);
    ends_ = ends;
    Instant begun = clock_.now();
    finding_.emplace(proxy::find_fault(house_, own_, *view_, view_->targets->front(), header));
    finding_->start();
    begun_ = begun;
  }
  std::string take() {
    took = clock_.now() - begun_;
    std::string fault = *finding_->outcome();
    finding_.reset();
    for (int i = 0; i < 20; ++i) reactor_.turn(Duration::zero());
    return fault;
  }
  void cancel() { finding_.reset(); }
  void turn(int turns) {
    for (int i = 0; i < turns; ++i) reactor_.turn(Duration::zero());
  }

  int live() {
    far_.reset();
    return network_.live();
  }
  Faults& faults() { return network_.faults(); }

  std::optional<wire::ProxyVersion> header;
  Heard heard;
  Duration took{};

 private:
  ManualClock clock_;
  Instant begun_{};
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  proxy::MadeJournal journal_;
  loop::WaitSlot place_freed_;
  MemoryNetwork network_;
  tls::Scratch records_, parent_records_;
  http::Desk desk_{buffers_};
  proxy::Pool pool_{reactor_};
  proxy::House house_{reactor_, buffers_, network_,        journal_,     desk_,
                      pool_,    records_, parent_records_, place_freed_, 0};
  proxy::OwnAddresses own_;
  std::shared_ptr<const config::Config> config_;
  std::optional<proxy::UpstreamView> view_;
  std::string says_;
  bool ends_ = true;
  net::AnyStream far_;
  loop::Scope scope_{reactor_};
  std::optional<loop::Task<std::string>> finding_;
};

std::string answer(std::string_view status, std::string_view body = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(HealthCheck, AsksAsItIsTold) {
  Checking plain("path: '/irj/health?full=1'");
  EXPECT_EQ(plain.fault(answer("200 OK")), "");
  EXPECT_EQ(plain.heard.text,
            "GET /irj/health?full=1 HTTP/1.1\r\nHost: 192.0.2.1:80\r\nUser-Agent: lockgate\r\nConnection: "
            "close\r\n\r\n");
  Checking special(
      "path: /, method: POST, host: app.example.com, fields: { X-Check: a b, user-agent: probe }");
  special.header = wire::ProxyVersion::v1;
  EXPECT_EQ(special.fault(answer("204 No Content")), "");
  EXPECT_TRUE(special.heard.text.starts_with("PROXY UNKNOWN\r\nPOST / HTTP/1.1\r\nHost: app.example.com\r\n"))
      << special.heard.text;
  EXPECT_TRUE(special.heard.text.contains("\r\nX-Check: a b\r\n"));
  EXPECT_TRUE(special.heard.text.contains("\r\nuser-agent: probe\r\n"));
  EXPECT_FALSE(special.heard.text.contains("lockgate"));
  EXPECT_TRUE(special.heard.text.contains("\r\nContent-Length: 0\r\n"));
}

TEST(HealthCheck, JudgesTheStatus) {
  Checking usual("path: /");
  EXPECT_EQ(usual.fault(answer("399 x")), "");
  EXPECT_EQ(usual.fault(answer("503 Service Unavailable", "busy")), "answered 503 instead of 200-399");
  EXPECT_EQ(usual.fault("HTTP/1.1 103 Early Hints\r\n\r\n" + answer("200 OK")), "");
  Checking choosy("path: /, status: [204, 300-302]");
  EXPECT_EQ(choosy.fault(answer("302 Found")), "");
  EXPECT_EQ(choosy.fault(answer("200 OK")), "answered 200 instead of 204, 300-302");
}

TEST(HealthCheck, LooksForATextInTheBody) {
  Checking ready("path: /, body: 'status: ready'");
  std::string missing = "`status: ready` is not in the answer";
  EXPECT_EQ(ready.fault(answer("200 OK", "<p>status: ready</p>")), "");
  EXPECT_EQ(ready.fault(answer("200 OK", "<p>status: read</p>")), missing);
  EXPECT_EQ(ready.fault(answer("204 No Content")), missing);
  EXPECT_EQ(
      ready.fault(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nstatus: \r\n5\r\nready\r\n0\r\n\r\n"),
      "");
  EXPECT_EQ(ready.fault("HTTP/1.1 200 OK\r\n\r\nuntil the end, status: ready"), "");
  std::string far(64 * 1024, 'x');
  EXPECT_EQ(ready.fault(answer("200 OK", far.substr(13) + "status: ready")), "");
  EXPECT_EQ(ready.fault(answer("200 OK", far.substr(12) + "status: ready")), missing) << "one byte too late";
}

TEST(HealthCheck, FindsATextThatComesInPieces) {
  Checking ready("path: /, body: ready", {.most_read = 3});
  EXPECT_EQ(ready.fault(answer("200 OK", "rearead alread")), "`ready` is not in the answer");
  EXPECT_EQ(ready.fault(answer("200 OK", "not reready")), "");
}

TEST(HealthCheck, TakesNoBrokenAnswerForAGoodOne) {
  Checking usual("path: /, body: ready");
  EXPECT_EQ(usual.fault(""), "reading the answer: closed");
  EXPECT_EQ(usual.fault("HTTP/1.1 200"), "reading the answer: closed");
  EXPECT_EQ(usual.fault("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nrea"), "reading the body: closed");
  EXPECT_NE(usual.fault("SSH-2.0-OpenSSH_9.2\r\n"), "");
  EXPECT_NE(usual.fault("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nready"), "");
}

TEST(HealthCheck, IsOverInItsTime) {
  Checking usual("path: /, timeout: 1s, body: ready");
  for (const char* says : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nread"}) {
    EXPECT_TRUE(usual.fault(says, false).ends_with("timed_out")) << says;
    EXPECT_NEAR(std::chrono::duration<double>(usual.took).count(), 1, 0.1);
  }
}

TEST(HealthCheck, FailsWithWhateverFails) {
  for (int nth = 0;; ++nth) {
    Checking usual("path: /, timeout: 1s, body: ready", {.most_read = 20, .most_written = 20});
    usual.faults().fail(nth, {.code = Errc::reset, .doing = "striking"});
    std::string fault = usual.fault(answer("200 OK", "ready"));
    if (!usual.faults().struck()) break;
    EXPECT_NE(fault, "") << nth;
    EXPECT_EQ(usual.live(), 0) << nth;
    ASSERT_LT(nth, 100);
  }
}

TEST(HealthCheck, LeavesNothingBehindWhenItIsCancelled) {
  for (int turns = 0; turns < 12; ++turns) {
    Checking usual("path: /, body: ready");
    usual.begin("HTTP/1.1 200 OK\r\n\r\nread", false);
    usual.turn(turns);
    usual.cancel();
    usual.turn(5);
    EXPECT_EQ(usual.live(), 0) << turns;
  }
}

}  // namespace
}  // namespace lockgate::stories
