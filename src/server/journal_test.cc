#include "server/journal.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/access_log.h"

namespace lockgate::server {
namespace {

using config::LogLevel;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { rules_.apply({}, 5); }

  std::string taken() {
    auto line = producer_.ring().front();
    if (!line) return "(nothing)";
    std::string text = std::to_string(line->target) + " " + std::string(line->text);
    producer_.ring().pop();
    return text;
  }

  ManualClock clock_;
  LogRules rules_;
  LogWake wake_;
  LogProducer producer_{wake_, 4096};
  Journal journal_{producer_, rules_, clock_};
};

TEST_F(JournalTest, WritesAMessageWithAllThatIsKnown) {
  journal_.tell(LogLevel::warning, 0x1f, "shop", "connecting: \"refused\"\nlevel=error");
  EXPECT_EQ(taken(),
            "5 time=2023-11-14T22:13:20.000Z level=warning connection=1f site=shop "
            "message=\"connecting: \\\"refused\\\"\\u000alevel=error\"\n");
  journal_.at(LogLevel::info, "{} workers", 4);
  EXPECT_EQ(taken(), "5 time=2023-11-14T22:13:20.000Z level=info message=\"4 workers\"\n");
}

TEST_F(JournalTest, WritesJsonIfTheConfigurationSaysSo) {
  config::Config config;
  config.log.format = config::LogFormat::json;
  rules_.apply(config, 6);
  journal_.tell(LogLevel::error, 0, "", "no");
  EXPECT_EQ(taken(), "6 {\"time\":\"2023-11-14T22:13:20.000Z\",\"level\":\"error\",\"message\":\"no\"}\n");
}

TEST_F(JournalTest, FollowsLevelsThatChangeWhileItRuns) {
  EXPECT_FALSE(journal_.wants(LogLevel::debug, "a"));
  rules_.set_site_level("a", LogLevel::debug);
  EXPECT_TRUE(journal_.wants(LogLevel::debug, "a"));
  EXPECT_FALSE(journal_.wants(LogLevel::debug, "b"));
  EXPECT_FALSE(journal_.wants(LogLevel::debug, ""));
  rules_.set_level(LogLevel::error);
  EXPECT_TRUE(journal_.wants(LogLevel::debug, "a"));
  EXPECT_FALSE(journal_.wants(LogLevel::warning, "b"));
  journal_.tell(LogLevel::warning, 0, "b", "unwanted");
  EXPECT_EQ(taken(), "(nothing)");
  rules_.set_site_level("a", std::nullopt);
  EXPECT_FALSE(journal_.wants(LogLevel::warning, "a"));
}

TEST_F(JournalTest, TakesSiteLevelsFromTheConfigurationAndForgetsThoseBefore) {
  rules_.set_site_level("old", LogLevel::debug);
  config::Config config;
  config::Site site;
  site.name = "new";
  site.log_level = LogLevel::error;
  config.listeners.emplace_back().sites.push_back(site);
  rules_.apply(config, 5);
  EXPECT_EQ(rules_.level("new"), LogLevel::error);
  EXPECT_EQ(rules_.level("old"), LogLevel::info);
}

TEST_F(JournalTest, WritesTheSameMessageOncePerSecondAndCountsTheRest) {
  for (int i = 0; i < 1000; ++i) journal_.tell(LogLevel::error, 0, "", "no descriptors");
  journal_.tell(LogLevel::error, 0, "", "something else");
  EXPECT_EQ(taken(), "5 time=2023-11-14T22:13:20.000Z level=error message=\"no descriptors\"\n");
  EXPECT_EQ(taken(), "5 time=2023-11-14T22:13:20.000Z level=error message=\"something else\"\n");
  EXPECT_EQ(taken(), "(nothing)");
  clock_.advance(std::chrono::seconds(1));
  journal_.tell(LogLevel::error, 0, "", "no descriptors");
  EXPECT_EQ(taken(), "5 time=2023-11-14T22:13:21.000Z level=error left_out=999 message=\"no descriptors\"\n");
}

TEST_F(JournalTest, WritesNothingWhereNothingIsWanted) {
  journal_.line(proxy::kNoLog, "x\n");
  rules_.apply({}, proxy::kNoLog);
  journal_.tell(LogLevel::error, 0, "", "no");
  EXPECT_EQ(taken(), "(nothing)");
  journal_.line(3, "an access line\n");
  EXPECT_EQ(taken(), "3 an access line\n");
}

}  // namespace
}  // namespace lockgate::server
