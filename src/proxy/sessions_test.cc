#include "proxy/sessions.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace lockgate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr Instant kNow{1'000'000'000};
constexpr Sessions::Bounds kBounds{.most = 1000, .expire = 1h};

TEST(Sessions, AreFoundWhereTheyWereLearned) {
  Sessions sessions;
  EXPECT_EQ(sessions.find("0A1B", kNow, 1h), 0u);
  sessions.learn("0A1B", 7, kNow, kBounds);
  sessions.learn("2C3D", 8, kNow, kBounds);
  EXPECT_EQ(sessions.find("0A1B", kNow, 1h), 7u);
  EXPECT_EQ(sessions.find("2C3D", kNow, 1h), 8u);
  sessions.learn("0A1B", 9, kNow, kBounds);
  EXPECT_EQ(sessions.find("0A1B", kNow, 1h), 9u);
  EXPECT_EQ(sessions.size(), 2u);
}

TEST(Sessions, MoveOnlyIfTheyAreKnown) {
  Sessions sessions;
  sessions.learn("0A1B", 7, kNow, kBounds);
  sessions.move("0A1B", 8);
  sessions.move("made up", 8);
  EXPECT_EQ(sessions.find("0A1B", kNow, 1h), 8u);
  EXPECT_EQ(sessions.find("made up", kNow, 1h), 0u);
  EXPECT_EQ(sessions.size(), 1u);
}

TEST(Sessions, AreForgottenAWhileAfterTheirLastUse) {
  Sessions sessions;
  sessions.learn("0A1B", 7, kNow, kBounds);
  EXPECT_EQ(sessions.find("0A1B", kNow + 50min, 1h), 7u);
  EXPECT_EQ(sessions.find("0A1B", kNow + 110min, 1h), 7u);
  EXPECT_EQ(sessions.find("0A1B", kNow + 171min, 1h), 0u);
  EXPECT_EQ(sessions.size(), 0u);
}

TEST(Sessions, AreNeverMoreThanTheyMayBeAndTheOldestGo) {
  Sessions sessions;
  for (int n = 0; n < 10'000; ++n) {
    sessions.learn(std::to_string(n), 7, kNow + Duration(n), {.most = 320, .expire = 1h});
    EXPECT_EQ(sessions.find("0", kNow + Duration(n), 1h), 7u);
  }
  EXPECT_LE(sessions.size(), 320u);
  EXPECT_EQ(sessions.find("1", kNow, 1h), 0u);
  EXPECT_EQ(sessions.find("9999", kNow, 1h), 7u);
}

TEST(Sessions, OfThePastMakeRoom) {
  Sessions sessions;
  for (int n = 0; n < 500; ++n) sessions.learn(std::to_string(n), 7, kNow, kBounds);
  for (int n = 500; n < 1000; ++n) sessions.learn(std::to_string(n), 7, kNow + 2h, kBounds);
  EXPECT_LE(sessions.size(), 520u);
}

TEST(Sessions, AreSharedByThreads) {
  Sessions sessions;
  std::vector<std::jthread> threads;
  for (std::uint64_t mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&sessions, mark] {
      for (int n = 0; n < 2000; ++n) {
        std::string session = std::to_string(n % 100);
        sessions.learn(session, mark, kNow, kBounds);
        std::uint64_t found = sessions.find(session, kNow, 1h);
        EXPECT_TRUE(found >= 1 && found <= 4);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sessions.size(), 100u);
}

}  // namespace
}  // namespace lockgate::proxy
