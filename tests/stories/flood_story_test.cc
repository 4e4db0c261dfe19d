// A flood of clients, none of whom comes twice, through one worker: what is kept of them is bounded, whatever
// is counted of each. LOCKGATE_SOAK=1 makes it a million.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>

#include "fuzz/allocated.h"
#include "loop/scope.h"
#include "proxy/connection.h"
#include "proxy/made_house.h"
#include "stories/memory_stream.h"

namespace lockgate::stories {
namespace {

using namespace std::chrono_literals;

// A trap that bans at the first step, and a rate that each client has alone.
constexpr std::string_view kConfig = R"(
defaults: { http: { keepalive_requests: unlimited } }
bans:
  rules: [{ name: scanners, on: trap, for: 1h }]
listeners:
  - name: front
    bind: 127.0.0.1:8080
    trusted_proxies: { from: 10.0.0.0/8 }
    sites:
      - names: [default]
        access_log: off
        rates: [{ by: client, rate: 2/h }]
        plain: { routes: [{ path: /trap, status: 404, trap: scanners }, { path: /, status: 200 }] }
)";
constexpr std::size_t kAtOnce = 500;

// With a sanitizer it is the sanitizer that knows.
std::size_t in_use() {
  std::size_t counted = fuzz::allocated();
  auto told = mallinfo2();
  return counted > 0 ? counted : told.uordblks + told.hblkhd;
}

std::uint32_t clients() { return std::getenv("LOCKGATE_SOAK") != nullptr ? 1'000'000 : 110'000; }

class Flood : public testing::Test, public proxy::ConnectionOwner {
 protected:
  Flood() : plan_(std::make_shared<proxy::WorkerPlan>()) {
    plan_->plan = proxy::made_plan(kConfig, registry_);
    auto [near, far] = network_.pair("proxy");
    far_ = std::move(far);
    proxy::Facts facts;
    facts.id = 1;
    facts.peer = facts.client = proxy::made_address("10.0.0.9:1234");
    facts.destination = proxy::made_address("198.51.100.1:80");
    connection_ = std::make_unique<proxy::Connection>(house_, *this, plan_, *plan_->plan->listener("front"),
                                                      std::move(near), std::move(facts), proxy::Places());
    connection_->begin();
    scope_.spawn(hear(*far_, heard_));
  }
  ~Flood() override { connection_.reset(); }

  // How many of clients `first` to `first + kAtOnce`, each of whom asks once for `path`, are answered with
  // `status`.
  std::size_t answered(std::uint32_t first, std::string_view path, std::string_view status) {
    std::string asked;
    for (std::uint32_t i = first; i < first + kAtOnce; ++i)
      asked += fmt::format("GET {} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {}.{}.{}.{}\r\n\r\n", path,
                           20 + (i >> 24), i >> 16 & 255, i >> 8 & 255, i & 255);
    heard_.text.clear();
    scope_.spawn(say(*far_, std::move(asked), false));
    turn_until(reactor_, clock_, [this] { return count("HTTP/1.1 ") == kAtOnce || over_; }, 200'000, 1us);
    return count(fmt::format("HTTP/1.1 {} ", status));
  }
  // All of them, from the first on, a little later each time.
  std::size_t answered_of_all(std::uint32_t all, std::string_view path, std::string_view status) {
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < all; i += kAtOnce) {
      sum += answered(i, path, status);
      registry_.guards.bans.sweep(0s, reactor_.now());
      registry_.guards.bans.take_news();
    }
    return sum;
  }

  std::size_t count(std::string_view text) const {
    std::size_t found = 0;
    for (auto at = heard_.text.find(text); at != std::string::npos; at = heard_.text.find(text, at + 1))
      ++found;
    return found;
  }
  const std::shared_ptr<proxy::WorkerPlan>& newest_plan() const override { return plan_; }
  void connection_over(proxy::Connection&) override { over_ = true; }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  net::Buffers buffers_;
  proxy::MadeJournal journal_;
  loop::WaitSlot place_freed_;
  proxy::MadeRegistry registry_{config::Bans{}.most, guard::RateTable::kCells};
  MemoryNetwork network_{reactor_};
  tls::Scratch records_, parent_records_;
  http::Desk desk_{buffers_};
  proxy::Pool pool_{reactor_};
  proxy::House house_{reactor_, buffers_, network_,        journal_,     desk_,
                      pool_,    records_, parent_records_, place_freed_, 0};
  std::shared_ptr<proxy::WorkerPlan> plan_;
  net::AnyStream far_;
  Heard heard_;
  loop::Scope scope_{reactor_};
  std::unique_ptr<proxy::Connection> connection_;
  bool over_ = false;
};

TEST_F(Flood, OfClientsWhoAreCountedKeepsNoMemoryOfEach) {
  EXPECT_EQ(answered(0, "/", "200"), kAtOnce);
  std::size_t before = in_use();
  EXPECT_EQ(answered_of_all(clients(), "/", "200"), clients());
  EXPECT_LT(in_use(), before + 1'000'000);
  EXPECT_FALSE(over_);
}

TEST_F(Flood, OfClientsWhoAreBannedKeepsNoMoreThanItMay) {
  EXPECT_EQ(answered(0, "/trap", "404"), kAtOnce);
  std::size_t before = in_use();
  EXPECT_EQ(answered_of_all(clients(), "/trap", "404") + kAtOnce, clients());  // the first are banned already
  EXPECT_LT(in_use(), before + 25'000'000);
  EXPECT_EQ(registry_.guards.bans.size(), config::Bans{}.most);
  EXPECT_EQ(answered(clients() - kAtOnce, "/", "403"), kAtOnce) << "whoever came last is out";
  EXPECT_FALSE(over_) << "the proxy's connection stays";
}

}  // namespace
}  // namespace lockgate::stories
