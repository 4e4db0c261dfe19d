#include "base/line_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace lockgate {
namespace {

std::string take(LineRing& ring) {
  auto line = ring.front();
  if (!line) return "(empty)";
  std::string text(line->text);
  ring.pop();
  return text;
}

TEST(LineRing, GivesLinesBackInOrderWithTheirTarget) {
  LineRing ring(1024);
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.push(7, 2, "one"));
  EXPECT_TRUE(ring.push(8, 3, ""));
  auto first = ring.front();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->target, 7);
  EXPECT_EQ(first->severity, 2);
  EXPECT_EQ(first->text, "one");
  EXPECT_EQ(take(ring), "one");
  EXPECT_EQ(ring.front()->target, 8);
  EXPECT_EQ(take(ring), "");
  EXPECT_TRUE(ring.empty());
}

TEST(LineRing, RefusesAndCountsWhatDoesNotFit) {
  LineRing ring(1024);
  std::string line(120, 'x');
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(ring.push(0, 0, line)) << i;
  EXPECT_FALSE(ring.push(0, 0, line));
  EXPECT_FALSE(ring.push(0, 0, ""));
  EXPECT_EQ(ring.refused(), 2U);
  ring.pop();
  EXPECT_TRUE(ring.push(0, 0, "fits again"));
}

TEST(LineRing, RefusesALineLongerThanItself) {
  LineRing ring(1024);
  EXPECT_FALSE(ring.push(0, 0, std::string(1017, 'x')));
  EXPECT_TRUE(ring.push(0, 0, std::string(1016, 'x')));
}

TEST(LineRing, KeepsALineInOnePieceAtEveryPlaceOfTheEnd) {
  for (std::size_t first = 0; first < 1000; ++first) {
    LineRing ring(1024);
    ASSERT_TRUE(ring.push(0, 0, std::string(first, 'a')));
    ring.pop();
    for (int i = 0; i < 3; ++i) {
      std::string line = "line " + std::to_string(i) + std::string(250, 'b');
      ASSERT_TRUE(ring.push(0, 0, line));
      ASSERT_EQ(take(ring), line);
    }
    ASSERT_TRUE(ring.empty());
  }
}

TEST(LineRing, HandsOverBetweenTwoThreads) {
  LineRing ring(4096);
  constexpr int kLines = 50'000;
  std::thread producer([&ring] {
    for (int i = 0; i < kLines; ++i) {
      std::string line = std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x');
      while (!ring.push(static_cast<std::uint16_t>(i), 0, line)) std::this_thread::yield();
    }
  });
  for (int i = 0; i < kLines;) {
    auto line = ring.front();
    if (!line) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(line->target, static_cast<std::uint16_t>(i));
    ASSERT_EQ(line->text, std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x'));
    ring.pop();
    ++i;
  }
  producer.join();
}

}  // namespace
}  // namespace lockgate
