#include "server/administration.h"

#include <gtest/gtest.h>

#include "server/made_nothing.h"

namespace lockgate::server {
namespace {

using proxy::Administration;

class AdministrationTest : public testing::Test {
 protected:
  std::shared_ptr<const proxy::Upstream> keep(const char* name, const std::vector<const char*>& addresses,
                                              std::uint32_t tries = 3) {
    config::Upstream upstream{.name = name, .tries = tries};
    for (const char* address : addresses) {
      upstream.endpoints.push_back(
          {.address = *SocketAddress::parse(address), .url = std::string("http://") + address});
    }
    return keeper_.keep(upstream, {});
  }
  AdministrationAnswer ask(const char* action, const char* upstream, const char* endpoint) {
    return administer_endpoint(keeper_, {.action = action, .upstream = upstream, .endpoint = endpoint},
                               clock_.now());
  }
  std::string message(const char* action, const char* upstream, const char* endpoint) {
    return ask(action, upstream, endpoint).json["message"];
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  Nothing nothing_;
  proxy::Keeper keeper_{reactor_, nothing_, nothing_, [](const auto&, const auto&) {}};
};

TEST_F(AdministrationTest, TakesAnEndpointOutAndGivesItBack) {
  auto portal = keep("portal", {"192.0.2.1:80", "192.0.2.2:80"});
  proxy::Endpoint& endpoint = *keeper_.targets(*portal)->front().endpoint;
  auto answer = ask("drain", "portal", "http://192.0.2.1:80");
  EXPECT_TRUE(answer.json["ok"] && answer.changed);
  EXPECT_EQ(answer.endpoint.get(), &endpoint);
  EXPECT_EQ(endpoint.administration(), Administration::draining);
  EXPECT_EQ(keeper_.targets(*portal)->back().endpoint->administration(), Administration::enabled);
  EXPECT_EQ(message("disable", "portal", "http://192.0.2.1:80"),
            "endpoint http://192.0.2.1:80 of upstream portal is disabled; connections now: 0");
  EXPECT_FALSE(ask("disable", "portal", "http://192.0.2.1:80").changed);
  EXPECT_EQ(message("disable", "portal", "http://192.0.2.1:80"),
            "endpoint http://192.0.2.1:80 of upstream portal is already disabled; connections now: 0");
  EXPECT_TRUE(ask("enable", "portal", "http://192.0.2.1:80").changed);
  EXPECT_EQ(endpoint.administration(), Administration::enabled);
}

TEST_F(AdministrationTest, CountsConnectionsAndThoseThatWait) {
  auto portal = keep("portal", {"192.0.2.1:80"});
  auto endpoint = keeper_.targets(*portal)->front().endpoint;
  proxy::AtEndpoint inside(endpoint);
  endpoint->row(0).idle.add(2);
  auto answer = ask("look", "portal", "http://192.0.2.1:80");
  EXPECT_EQ(answer.json["connections"], 3);
  EXPECT_EQ(answer.json["administration"], "enabled");
  EXPECT_FALSE(answer.changed);
}

TEST_F(AdministrationTest, HoldsOverAReloadThatKeepsTheEndpoint) {
  auto before = keep("portal", {"192.0.2.1:80"});
  ask("drain", "portal", "http://192.0.2.1:80");
  auto after = keep("portal", {"192.0.2.1:80"}, 2);
  ASSERT_NE(before, after);
  keeper_.keep_only({after});
  EXPECT_EQ(keeper_.targets(*after)->front().endpoint->administration(), Administration::draining);
}

TEST_F(AdministrationTest, ListsWhatThereIsIfANameIsNotKnown) {
  keep("portal", {"192.0.2.2:80", "192.0.2.1:80"});
  keep("shop", {"192.0.2.3:80"});
  EXPECT_EQ(message("drain", "protal", "x"), "there is no upstream \"protal\"; there are: portal, shop");
  EXPECT_EQ(message("drain", "portal", "http://192.0.2.3:80"),
            "upstream portal has no endpoint \"http://192.0.2.3:80\"; it has: http://192.0.2.1:80, "
            "http://192.0.2.2:80");
  EXPECT_EQ(message("stop", "portal", "http://192.0.2.1:80"),
            "the action is one of drain, disable, enable, look");
  EXPECT_FALSE(ask("drain", "", "").json["ok"]);
}

}  // namespace
}  // namespace lockgate::server
