#include "guard/ban_file.h"

#include <gtest/gtest.h>

namespace lockgate::guard {
namespace {

using namespace std::chrono_literals;

constexpr Clocks kThen{{5'000'000'000}, 1'700'000'000'000'000'000};
constexpr Clocks kLater{{1'000'000'000}, 1'700'000'060'000'000'000};  // a minute, in another process

TEST(BanFile, IsReadAsItWasWritten) {
  std::vector<Ban> bans = {
      {*Network::parse("192.0.2.1"), kThen.now, kThen.now + 10min, 3, "sign-in"},
      {*Network::parse("2001:db8::/64"), kThen.now, kNever, 1, "said so, in\nwords"},
  };
  std::string text(kBanFileTitle);
  for (const Ban& ban : bans) text += ban_line(ban, kThen);
  auto read = read_ban_file(text, kLater);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->bans.size(), 2u);
  EXPECT_EQ(read->bad_lines, 0u);
  EXPECT_EQ(read->bans.at(0).who, bans[0].who);
  EXPECT_EQ(read->bans.at(0).until - kLater.now, 9min);
  EXPECT_EQ(read->bans.at(0).times, 3u);
  EXPECT_EQ(read->bans.at(0).why, "sign-in");
  EXPECT_EQ(read->bans.at(1).until, kNever);
  EXPECT_EQ(read->bans.at(1).why, "said so, in words");
}

TEST(BanFile, OfNobodyIsItsTitle) { EXPECT_TRUE(read_ban_file(kBanFileTitle, kThen)->bans.empty()); }

TEST(BanFile, OfAnotherKindIsRefused) {
  for (const char* text : {"", "lockgate bans 2\n", "lockgate bans 1"})
    EXPECT_EQ(read_ban_file(text, kThen).error(), "its first line is not that of a file of bans") << text;
}

TEST(BanFile, KeepsWhatIsGoodBesideALineThatIsNot) {
  std::string good = ban_line({*Network::parse("192.0.2.1"), kThen.now, kNever, 1, "a"}, kThen);
  for (const char* line :
       {"x\n", "\n", "192.0.2.1/33 0 0 1 a\n", "192.0.2.1/32 0 0 0 a\n", "192.0.2.1/32 -1 0 1 a\n",
        "192.0.2.1/32 0 99999999999999999 1 a\n", "192.0.2.1/32 0 0\n"}) {
    auto kept = read_ban_file(std::string(kBanFileTitle) + good + line + good + line, kThen);
    ASSERT_TRUE(kept) << line;
    EXPECT_EQ(kept->bans.size(), 2u) << line;
    EXPECT_EQ(kept->bad_lines, 2u) << line;
    EXPECT_EQ(kept->first_bad, 3u) << line;
  }
}

TEST(BanFile, ThatEndsWithinALineLosesThatLine) {
  std::string good = ban_line({*Network::parse("192.0.2.1"), kThen.now, kNever, 1, "a"}, kThen);
  auto kept = read_ban_file(std::string(kBanFileTitle) + good + good.substr(0, good.size() - 1), kThen);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->bans.size(), 1u);
  EXPECT_EQ(kept->bad_lines, 1u);
}

}  // namespace
}  // namespace lockgate::guard
