#include "proxy/front_proxy.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

class FrontProxy : public testing::Test {
 protected:
  FrontProxy() {
    auto network = [](const char* text) { return Network::parse(text).value(); };
    listener_.accept_proxy_protocol = {.from = {network("10.0.1.0/24")},
                                       .optional_from = {network("10.0.2.0/24")}};
    listener_.trusted_proxies.from = {network("10.0.3.0/24")};
  }
  bool is_connection_judged(const char* peer, const char* client) const {
    Facts facts;
    facts.peer = made_address(peer);
    facts.client = made_address(client);
    return is_judged(listener_, facts);
  }
  bool is_request_judged(const char* connection, const char* client, bool through_proxy) const {
    Facts facts;
    facts.peer = facts.client = made_address(connection);
    ListenerPlan plan{.listener = &listener_};
    RequestFacts request{.connection = facts, .listener = plan};
    request.client = made_address(client);
    request.through_proxy = through_proxy;
    return is_judged(request);
  }
  config::Listener listener_;
};

TEST_F(FrontProxy, WhoeverSpeaksForHimselfIsJudged) {
  EXPECT_TRUE(is_connection_judged("192.0.2.1:1", "192.0.2.1:1"));
  EXPECT_TRUE(is_request_judged("192.0.2.1:1", "192.0.2.1:1", false));
}

TEST_F(FrontProxy, IsNotJudgedAsLongAsItNamesNobody) {
  for (const char* proxy : {"10.0.1.1:1", "10.0.2.1:1", "10.0.3.1:1"})
    EXPECT_FALSE(is_connection_judged(proxy, proxy)) << proxy;
  EXPECT_FALSE(is_request_judged("10.0.3.1:1", "10.0.3.1:1", true));
  EXPECT_FALSE(is_request_judged("10.0.2.1:1", "10.0.2.1:1", false));
}

TEST_F(FrontProxy, IsJudgedByWhomItNames) {
  EXPECT_TRUE(is_connection_judged("10.0.1.1:1", "192.0.2.1:1"));
  EXPECT_TRUE(is_request_judged("10.0.3.1:1", "192.0.2.1:1", true));
  EXPECT_TRUE(is_request_judged("10.0.3.1:1", "10.0.1.7:1", true))
      << "a client inside may be one like others";
}

TEST_F(FrontProxy, OneBehindAnotherIsJudgedByItsRequests) {
  EXPECT_FALSE(is_connection_judged("10.0.1.1:1", "10.0.3.1:1"));
}

}  // namespace
}  // namespace lockgate::proxy
