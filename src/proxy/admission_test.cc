#include "proxy/admission.h"

#include <gtest/gtest.h>

#include "proxy/made_house.h"
#include "tls/made_folder.h"

namespace lockgate::proxy {
namespace {

using http::FieldName;

class Exempt : public testing::Test {
 protected:
  bool exempts(std::string_view path) { return is_exempt(sign_in_, path, request_); }

  config::SignIn sign_in_{.exempt = {"/.well-known/acme-challenge/", "/open"}};
  http::Request request_;
};

TEST_F(Exempt, ArePathsInWholeSegments) {
  for (std::string_view path : {"/.well-known/acme-challenge/token", "/open", "/open/", "/open/a/b.html"})
    EXPECT_TRUE(exempts(path)) << path;
  for (std::string_view path :
       {"/.well-known/acme-challenge", "/.well-known/other", "/opened", "/ope", "/", "*"})
    EXPECT_FALSE(exempts(path)) << path;
}

// As `paths` lets them through where it says so.
TEST_F(Exempt, IsNothingThatAnUpstreamMayTakeForAnotherPath) {
  for (std::string_view path :
       {"/.well-known/acme-challenge/../x", "/.well-known/acme-challenge/..", "/open/../admin",
        "/open/./../x", "/open/a/..;v=1/x", "/open/..%2fadmin", "/open/%2e%2e/admin", "/open//admin",
        "/open/a;b", "/open/..\\x", "/open/a%00"})
    EXPECT_FALSE(exempts(path)) << path;
}

TEST_F(Exempt, AreQuestionsOfBrowsersIfThatIsWanted) {
  request_.method = "OPTIONS";
  request_.fields.add("origin", "http://other", FieldName::other);
  sign_in_.exempt_preflight = true;
  EXPECT_FALSE(exempts("/x"));
  request_.fields.add("Access-Control-Request-Method", "PUT", FieldName::other);
  EXPECT_TRUE(exempts("/x"));
  sign_in_.exempt_preflight = false;
  EXPECT_FALSE(exempts("/x"));
  sign_in_.exempt_preflight = true;
  request_.method = "GET";
  EXPECT_FALSE(exempts("/x"));
}

class TurnedAway : public testing::Test {
 protected:
  /// The status, and what the answer owes.
  std::string answer(Admittance admittance) {
    RequestFacts facts{.connection = connection_, .listener = *listener_, .route = route_};
    Error error = turned_away(admittance, facts);
    EXPECT_EQ(error.side, Side::client);
    std::string text = std::to_string(error.detail.number);
    for (const wire::HeadField& field : facts.owed)
      text += " " + std::string(field.name) + "=" + std::string(field.value);
    sentence_ = facts.sentence;
    return text;
  }

  tls::made::Folder folder_;
  MadeRegistry registry_;
  std::shared_ptr<const Plan> plan_ = made_plan("users: { staff: " + folder_.file("users", "") + R"( }
listeners:
  - bind: 127.0.0.1:1
    sites: [{ names: [default], sign_in: { users: staff, realm: R }, plain: { to: "http://127.0.0.1:2" } }]
)",
                                                registry_);
  const ListenerPlan* listener_ = plan_->listeners.data();
  const RoutePlan* route_ = listener_->sites.front().routes.routes().data();
  Facts connection_;
  std::string sentence_;
};

TEST_F(TurnedAway, IsAnsweredWithWhatIsOwed) {
  std::string challenge = " WWW-Authenticate=Basic realm=\"R\", charset=\"UTF-8\"";
  EXPECT_EQ(answer(Admittance::unnamed), "401" + challenge);
  EXPECT_EQ(answer(Admittance::wrong), "401" + challenge);
  EXPECT_EQ(answer(Admittance::busy), "503 Retry-After=2");
  EXPECT_EQ(answer(Admittance::forbidden), "403");
  EXPECT_EQ(sentence_, "");
  EXPECT_EQ(answer(Admittance::no_certificate), "403");
  EXPECT_TRUE(sentence_.contains("client certificate"));
}

// Whoever is behind it could be anywhere.
TEST_F(TurnedAway, ProxiesThatNameNobodyAreInNoNetwork) {
  connection_.client = made_address("10.0.0.5:4711");
  RequestFacts facts{.connection = connection_, .listener = *listener_, .route = route_};
  http::Request request;
  Ip ip;
  std::optional<guard::ShownCertificate> shown;
  auto client = [&] { return situation_of(facts, request, {}, ip, shown).client; };
  ASSERT_NE(client(), nullptr);
  EXPECT_EQ(client()->text(), "10.0.0.5");
  facts.through_proxy = true;
  EXPECT_EQ(client(), nullptr);
  facts.client = made_address("10.0.0.5:0");  // it names itself
  EXPECT_NE(client(), nullptr);
  facts.client = made_address("192.0.2.1:0");
  ASSERT_NE(client(), nullptr);
  EXPECT_EQ(client()->text(), "192.0.2.1");
}

}  // namespace
}  // namespace lockgate::proxy
