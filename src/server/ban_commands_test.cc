// What `lockgate ban` and `unban` ask, also when somebody else than they asks it.
#include "server/ban_commands.h"

#include <gtest/gtest.h>

namespace lockgate::server {
namespace {

using nlohmann::json;

class BanCommands : public testing::Test {
 protected:
  bool is_done(const json& answer) { return answer.at("ok") == true && !answer.at("message").empty(); }
  json do_ban(const json& request) { return ban(bans_, rules_, request, clocks_); }

  guard::Clocks clocks_{.now = Instant{1'000'000'000}, .wall = 1'700'000'000'000'000'000};
  guard::Bans bans_{1, 100};
  guard::BanRules rules_;
};

TEST_F(BanCommands, BanAndLift) {
  EXPECT_TRUE(is_done(do_ban({{"address", "192.0.2.1"}, {"for", "1h"}, {"why", "tests"}})));
  EXPECT_TRUE(is_done(do_ban({{"address", "2001:db8::1"}, {"for", "forever"}})));
  EXPECT_EQ(list_bans(bans_, clocks_)["bans"].size(), 2u);
  EXPECT_TRUE(is_done(unban(bans_, {{"address", "192.0.2.1"}})));
  EXPECT_FALSE(is_done(unban(bans_, {{"address", "192.0.2.1"}})));
  EXPECT_TRUE(is_done(unban(bans_, {{"all", true}})));
  EXPECT_EQ(list_bans(bans_, clocks_)["bans"].size(), 0u);
}

TEST_F(BanCommands, ShowNoHalfOfACharacterAndNoControlCharacters) {
  std::string long_why = "x";
  for (int i = 0; i < 150; ++i) long_why += "\xc3\xa4";
  EXPECT_TRUE(is_done(do_ban({{"address", "192.0.2.1"}, {"for", "1h"}, {"why", long_why}})));
  EXPECT_NO_THROW((void)list_bans(bans_, clocks_).dump());
  for (const char* why : {"a\nb", "\x1b[2J", "a\tb", "\xc3"})
    EXPECT_FALSE(is_done(do_ban({{"address", "192.0.2.2"}, {"for", "1h"}, {"why", why}}))) << why;
}

TEST_F(BanCommands, RefuseWhatTheyDoNotUnderstand) {
  EXPECT_TRUE(is_done(do_ban({{"address", "192.0.2.1"}, {"for", "1h"}})));
  for (const json& wrong :
       {json(1), json(nullptr), json("yes"), json::array(), json::object(), json(-1e300)}) {
    EXPECT_FALSE(is_done(unban(bans_, {{"all", wrong}}))) << wrong;
    EXPECT_FALSE(is_done(unban(bans_, {{"address", wrong}}))) << wrong;
    EXPECT_FALSE(is_done(do_ban({{"address", wrong}, {"for", "1h"}}))) << wrong;
    EXPECT_FALSE(is_done(do_ban({{"address", "192.0.2.2"}, {"for", wrong}}))) << wrong;
  }
  EXPECT_EQ(bans_.size(), 1u);
}

}  // namespace
}  // namespace lockgate::server
