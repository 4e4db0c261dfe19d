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
  bool connection_speaks_for_itself(const char* peer, const char* client) const {
    Facts facts;
    facts.peer = made_address(peer);
    facts.client = made_address(client);
    return speaks_for_itself(listener_, facts);
  }
  bool request_speaks_for_itself(const char* connection, const char* client, bool through_proxy) const {
    Facts facts;
    facts.peer = facts.client = made_address(connection);
    ListenerPlan plan{.listener = &listener_};
    RequestFacts request{.connection = facts, .listener = plan};
    request.client = made_address(client);
    request.through_proxy = through_proxy;
    return speaks_for_itself(request);
  }
  config::Listener listener_;
};

TEST_F(FrontProxy, IsNobodyElse) {
  EXPECT_TRUE(connection_speaks_for_itself("192.0.2.1:1", "192.0.2.1:1"));
  EXPECT_TRUE(request_speaks_for_itself("192.0.2.1:1", "192.0.2.1:1", false));
}

TEST_F(FrontProxy, DoesNotSpeakForItselfAsLongAsItNamesNobody) {
  for (const char* proxy : {"10.0.1.1:1", "10.0.3.1:1"})
    EXPECT_FALSE(connection_speaks_for_itself(proxy, proxy)) << proxy;
  EXPECT_FALSE(request_speaks_for_itself("10.0.3.1:1", "10.0.3.1:1", true));
  EXPECT_FALSE(request_speaks_for_itself("10.0.1.1:1", "10.0.1.1:1", false));
}

TEST_F(FrontProxy, ThatNeedNotSendAHeaderSpeaksForItselfWithoutOne) {
  EXPECT_TRUE(connection_speaks_for_itself("10.0.2.1:1", "10.0.2.1:1"));
  EXPECT_TRUE(request_speaks_for_itself("10.0.2.1:1", "10.0.2.1:1", false));
  listener_.trusted_proxies.from = listener_.accept_proxy_protocol.optional_from;
  EXPECT_FALSE(connection_speaks_for_itself("10.0.2.1:1", "10.0.2.1:1")) << "its requests will name others";
}

TEST_F(FrontProxy, IsWaitedForUntilItsHeaderIsThere) {
  auto awaits = [&](const char* peer) { return awaits_proxy_header(listener_, *Ip::parse(peer)); };
  EXPECT_TRUE(awaits("10.0.1.1"));
  EXPECT_TRUE(awaits("10.0.2.1"));
  EXPECT_FALSE(awaits("10.0.3.1"));
}

TEST_F(FrontProxy, IsNotWhomItNames) {
  EXPECT_TRUE(connection_speaks_for_itself("10.0.1.1:1", "192.0.2.1:1"));
  EXPECT_TRUE(request_speaks_for_itself("10.0.3.1:1", "192.0.2.1:1", true));
  EXPECT_TRUE(request_speaks_for_itself("10.0.3.1:1", "10.0.1.7:1", true))
      << "a client inside may be one like others";
}

TEST_F(FrontProxy, BehindAnotherSpeaksForOthersInItsRequests) {
  EXPECT_FALSE(connection_speaks_for_itself("10.0.1.1:1", "10.0.3.1:1"));
}

}  // namespace
}  // namespace lockgate::proxy
