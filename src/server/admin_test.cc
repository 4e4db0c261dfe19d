#include "server/admin.h"

#include <nlohmann/json.hpp>

#include "server/test_caller.h"

namespace lockgate::server {
namespace {

class House final : public Observed {
 public:
  bool draining() const override { return is_draining; }
  loop::Task<Overview> overview() override {
    if (mute) co_await loop::fail(Errc::timed_out, "asking the workers");
    co_return Overview{.version = "7.7", .draining = is_draining};
  }
  bool is_draining = false, mute = false;
};

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    Fd fd = listen_on_loopback();
    address = net::local_address(fd.number());
    server.open(std::move(fd));
  }
  Response ask(std::string_view path, std::string_view host = "127.0.0.1:9180") {
    Caller caller(reactor, address);
    caller.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
                "\r\nConnection: close\r\n\r\n");
    return responses_in(caller.receive_all()).at(0);
  }

  ManualClock clock;
  loop::Reactor reactor{clock};
  House house;
  AdminPages pages{house, "gate.example.org"};
  HttpServer server{reactor, pages};
  SocketAddress address;
};

TEST_F(AdminTest, HealthTurnsWhenDrainingBegins) {
  EXPECT_EQ(ask("/health").status, 200);
  EXPECT_EQ(ask("/health").body, "ok\n");
  house.is_draining = true;
  EXPECT_EQ(ask("/health").status, 503);
  EXPECT_EQ(ask("/health").body, "draining\n");
}

TEST_F(AdminTest, HealthNeedsNoWorkers) {
  house.mute = true;
  EXPECT_EQ(ask("/health").status, 200);
  EXPECT_EQ(ask("/status").status, 500);
}

TEST_F(AdminTest, ServesMetricsAndStatus) {
  Response metrics = ask("/metrics?x");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.fields.at("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_TRUE(metrics.body.contains("lockgate_build_info{version=\"7.7\"} 1\n"));
  Response status = ask("/status");
  EXPECT_EQ(status.fields.at("Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(status.body, nullptr, false)["version"], "7.7");
}

TEST_F(AdminTest, TellsWhatThereIs) {
  EXPECT_TRUE(ask("/").body.contains("/metrics"));
  EXPECT_EQ(ask("/metrics/").status, 404);
}

TEST_F(AdminTest, AnswersOnlyToNamesThatNoStrangerCanPointHere) {
  for (auto host : {"127.0.0.1", "192.0.2.7:9180", "[::1]:9180", "localhost:9180", "LOCKGATE", "localhost.",
                    "Gate.Example.org:9180"}) {
    EXPECT_EQ(ask("/health", host).status, 200) << host;
  }
  for (auto host : {"evil.example", "evil.example:9180", "gate.example.org.evil.example",
                    "127.0.0.1.evil.example", "localhost.evil.example", "org.uk"}) {
    EXPECT_EQ(ask("/health", host).status, 421) << host;
    EXPECT_EQ(ask("/metrics", host).status, 421) << host;
  }
}

TEST_F(AdminTest, AnswersAnOldClientWithoutAHost) {
  Caller caller(reactor, address);
  caller.send("GET /health HTTP/1.0\r\n\r\n");
  EXPECT_EQ(responses_in(caller.receive_all()).at(0).status, 200);
}

TEST(MachineName, IsNormalized) {
  std::string name = machine_name();
  EXPECT_EQ(name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ "), name.npos);
}

}  // namespace
}  // namespace lockgate::server
