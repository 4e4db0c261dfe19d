#include "proxy/sticky.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;
using http::FieldName;

constexpr Instant kNow{1'000'000'000};

class StickyTest : public testing::Test {
 protected:
  void take_config(std::string_view sticky) {
    std::string text = "upstreams:\n  up:\n    endpoints: [{ url: 'http://192.0.2.1', name: n1 }, ";
    text += "{ url: 'http://192.0.2.2', name: x.n1 }, 'http://192.0.2.3']\n    sticky: ";
    text.append(sticky);
    text += "\nlisteners:\n  - { bind: 127.0.0.1:1080, sites: [{ names: [default], plain: { to: up } }] }\n";
    config_ = made_config(text);
    targets_ = made_targets(config_->upstreams.front());
    upstream_ = std::make_unique<Upstream>(config_->upstreams.front());
  }
  /// The number of the endpoint that a request belongs to, from 1; 0: none.
  int read(Sticky& sticky, const std::vector<std::string_view>& cookies, std::string_view path = "/",
           Instant now = kNow) {
    request_.clear();
    for (std::string_view cookie : cookies) request_.fields.add(FieldName::cookie, cookie);
    sticky.read(request_, path, *targets_, now, arena_);
    for (std::size_t i = 0; i < targets_->size(); ++i) {
      if (targets_->at(i).mark == sticky.mark()) return static_cast<int>(i + 1);
    }
    return 0;
  }
  int place_of(const std::vector<std::string_view>& cookies, std::string_view path = "/",
               Instant now = kNow) {
    Sticky sticky(*upstream_);
    return read(sticky, cookies, path, now);
  }
  /// What the endpoint of this number sets is learned.
  void learn(Sticky& sticky, int number, const std::vector<std::string_view>& set) {
    http::Response answer;
    for (std::string_view cookie : set) answer.fields.add(FieldName::set_cookie, cookie);
    sticky.learn(answer, targets_->at(static_cast<std::size_t>(number - 1)), kNow);
  }
  void learn(int number, const std::vector<std::string_view>& set) {
    Sticky sticky(*upstream_);
    learn(sticky, number, set);
  }
  std::string signed_by(const Sticky& sticky, bool secure = false) {
    http::Response answer;
    sticky.sign(answer, secure, arena_);
    return std::string(answer.fields.value(FieldName::set_cookie));
  }

  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const Targets> targets_;
  std::unique_ptr<Upstream> upstream_;
  http::Request request_;
  Arena arena_;
};

TEST_F(StickyTest, AValueEndsWithTheNameOfItsEndpoint) {
  take_config("{ cookie: JSESSIONID }");
  EXPECT_EQ(place_of({"JSESSIONID=0A1B.n1"}), 1);
  EXPECT_EQ(place_of({"a=b; JSESSIONID=\"0A1B.n1\"; c=d"}), 1);
  EXPECT_EQ(place_of({"a=b", "JSESSIONID=0A1B.x.n1"}), 2) << "the longest name";
  EXPECT_EQ(place_of({"JSESSIONID=0A1Bn1"}), 0);
  EXPECT_EQ(place_of({"JSESSIONID=n1"}), 0);
  EXPECT_EQ(place_of({"JSESSIONID=0A1B.n2"}), 0);
  EXPECT_EQ(place_of({"jsessionid=0A1B.n1"}), 0);
  EXPECT_EQ(place_of({"JSESSIONID="}), 0);
  EXPECT_EQ(place_of({}), 0);
  EXPECT_EQ(place_of({"JSESSIONID=old; JSESSIONID=0A1B.n1"}), 1) << "of another path, perhaps";
}

TEST_F(StickyTest, AValueIsWhereItWasSet) {
  take_config("{ cookie: JSESSIONID }");
  EXPECT_EQ(place_of({"JSESSIONID=0A1B"}), 0);
  learn(3, {"other=1", "JSESSIONID=0A1B; Path=/; HttpOnly"});
  EXPECT_EQ(place_of({"JSESSIONID=0A1B"}), 3);
  EXPECT_EQ(place_of({"JSESSIONID=0A1B.n1"}), 1) << "a name outweighs it";
  EXPECT_EQ(place_of({"other=1"}), 0);
  learn(2, {"JSESSIONID=0A1B"});
  EXPECT_EQ(place_of({"JSESSIONID=0A1B"}), 2);
  EXPECT_EQ(place_of({"JSESSIONID=0A1B"}, "/", kNow + 2h), 0);
  learn(2, {"JSESSIONID=; Max-Age=0", "JSESSIONID"});
  EXPECT_EQ(upstream_->commons->sessions->size(), 0u);
}

TEST_F(StickyTest, ASessionMovesWithTheAnswersButOnlyAKnownOne) {
  take_config("{ cookie: JSESSIONID }");
  learn(1, {"JSESSIONID=0A1B"});
  Sticky moving(*upstream_);
  EXPECT_EQ(read(moving, {"JSESSIONID=0A1B"}), 1);
  learn(moving, 3, {});
  EXPECT_EQ(place_of({"JSESSIONID=0A1B"}), 3);
  Sticky made_up(*upstream_);
  EXPECT_EQ(read(made_up, {"JSESSIONID=0000"}), 0);
  learn(made_up, 3, {});
  EXPECT_EQ(place_of({"JSESSIONID=0000"}), 0);
}

TEST_F(StickyTest, NamesMayBeginAlike) {
  take_config("{ cookie: saplb_*, path_parameter: saplb_* }");
  learn(3, {"saplb_*=(J2EE7036620)7036650; Version=1; Path=/"});
  learn(2, {"saplb_PORTAL=(J2EE1)1"});
  EXPECT_EQ(place_of({"saplb_*=(J2EE7036620)7036650"}), 3);
  EXPECT_EQ(place_of({"x=1; saplb_PORTAL=(J2EE1)1"}), 2);
  EXPECT_EQ(place_of({}, "/irj;saplb_*=(J2EE1)1/portal"), 2);
}

TEST_F(StickyTest, ThePathStandsInForTheCookie) {
  take_config("{ cookie: JSESSIONID, path_parameter: jsessionid }");
  learn(3, {"JSESSIONID=0A1B"});
  EXPECT_EQ(place_of({}, "/shop;jsessionid=0A1B"), 3);
  EXPECT_EQ(place_of({}, "/shop;v=1;jsessionid=0A1B.n1/cart"), 1);
  EXPECT_EQ(place_of({"JSESSIONID=2C3D.x.n1"}, "/shop;jsessionid=0A1B"), 2) << "a cookie outweighs it";
  EXPECT_EQ(place_of({}, "/shop;JSESSIONID=0A1B"), 0);
  take_config("{ cookie: JSESSIONID }");
  EXPECT_EQ(place_of({}, "/shop;jsessionid=0A1B.n1"), 0);
}

TEST_F(StickyTest, OurCookieIsTakenOffTheRequest) {
  take_config("{ own_cookie: GATE }");
  std::string own = fmt::format("a=1; GATE={:016x}; b=2", targets_->at(2).mark);
  Sticky sticky(*upstream_);
  EXPECT_EQ(read(sticky, {own, own.substr(5, 21), "c=3"}), 3);
  std::string left;
  for (const auto& field : request_.fields) left += std::string(field.value) + "|";
  EXPECT_EQ(left, "a=1; b=2|c=3|");
}

TEST_F(StickyTest, OurCookieIsSetWhereItDiffers) {
  take_config("{ own_cookie: GATE }");
  std::string second = fmt::format("GATE={:016x}", targets_->at(1).mark);
  Sticky fresh(*upstream_);
  EXPECT_EQ(read(fresh, {}), 0);
  EXPECT_EQ(signed_by(fresh), "") << "nobody has answered";
  learn(fresh, 2, {});
  EXPECT_EQ(signed_by(fresh), second + "; Path=/; HttpOnly; SameSite=Lax");
  EXPECT_EQ(signed_by(fresh, true), second + "; Path=/; HttpOnly; SameSite=Lax; Secure");
  Sticky known(*upstream_);
  EXPECT_EQ(read(known, {second}), 2);
  learn(known, 2, {});
  EXPECT_EQ(signed_by(known), "");
  learn(known, 1, {});
  EXPECT_TRUE(signed_by(known).starts_with("GATE="));
}

TEST_F(StickyTest, OurCookieLastsAsLongAsItIsUsed) {
  take_config("{ own_cookie: GATE, expire: 2h }");
  Sticky sticky(*upstream_);
  EXPECT_EQ(read(sticky, {fmt::format("GATE={:016x}", targets_->at(0).mark)}), 1);
  learn(sticky, 1, {});
  EXPECT_TRUE(signed_by(sticky).ends_with("; Max-Age=7200"));
}

TEST_F(StickyTest, WhatIsNoMarkIsNobodys) {
  take_config("{ own_cookie: GATE }");
  std::string good = fmt::format("{:016x}", targets_->at(0).mark);
  for (const std::string& value : {std::string(), good.substr(1), good + "0", "0x" + good.substr(2),
                                   "-" + good.substr(1), std::string(16, 'g'), std::string(16, '0')}) {
    EXPECT_EQ(place_of({"GATE=" + value}), 0) << value;
  }
}

TEST(Mark, IsTheSameForEver) {
  EXPECT_EQ(mark_of("portal", "node1"), mark_of("portal", "node1"));
  EXPECT_NE(mark_of("portal", "node1"), mark_of("portal", "node2"));
  EXPECT_NE(mark_of("portal", "node1"), mark_of("shop", "node1"));
  EXPECT_EQ(fmt::format("{:016x}", mark_of("portal", "http://app1:50000")), "54abea5589a1c1b0");
}

}  // namespace
}  // namespace lockgate::proxy
