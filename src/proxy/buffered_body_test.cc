#include "proxy/buffered_body.h"

#include <gtest/gtest.h>

#include <string>

#include "loop/scope.h"
#include "proxy/made_house.h"

namespace lockgate::proxy {
namespace {

using loop::Task;

struct Taken {
  std::string text;
  int pieces = 0;
  bool last = false;
  std::optional<Error> error;
};

Task<void> take_one(BufferedAnswer& answer, Taken& taken) {
  auto taking = answer.take();
  auto piece = co_await loop::attempt(std::move(taking));
  if (!piece) {
    taken.error = piece.error();
    co_return;
  }
  taken.text += as_text(piece->bytes);
  taken.last = piece->last;
  ++taken.pieces;
}

Task<void> wait_for_room(BufferedAnswer& answer, bool& there) {
  auto waiting = answer.wait_for_room();
  co_await waiting;
  there = true;
}

class BufferedAnswers : public testing::Test {
 protected:
  void turn() { reactor_.turn(Duration::zero()); }
  void put(std::string_view text, bool last = false) { answer_.put({.bytes = as_bytes(text), .last = last}); }
  void take() {
    scope_.spawn(take_one(answer_, taken_));
    turn();
  }

  ManualClock clock_;
  loop::Reactor reactor_{clock_};
  BufferedAnswer answer_{reactor_, 4};
  Taken taken_;
  loop::Scope scope_{reactor_};
};

TEST_F(BufferedAnswers, ComeOutAsTheyWentIn) {
  put("ab");
  put("cd", true);
  take();
  EXPECT_EQ(taken_.text, "abcd");
  EXPECT_TRUE(taken_.last);
}

TEST_F(BufferedAnswers, WhoeverTakesWaitsForAPiece) {
  take();
  EXPECT_EQ(taken_.pieces, 0);
  put("x");
  turn();
  turn();
  EXPECT_EQ(taken_.text, "x");
  EXPECT_FALSE(taken_.last);
  put("", true);
  take();
  EXPECT_TRUE(taken_.last);
}

TEST_F(BufferedAnswers, WhoeverPutsWaitsForRoom) {
  bool there = false;
  put("1234");
  scope_.spawn(wait_for_room(answer_, there));
  turn();
  EXPECT_FALSE(there);
  take();
  turn();
  turn();
  EXPECT_TRUE(there);
}

TEST_F(BufferedAnswers, WhatCameBeforeAFailureIsNotLost) {
  put("ab");
  answer_.fail({.code = Errc::reset, .side = Side::upstream});
  take();
  EXPECT_EQ(taken_.text, "ab");
  EXPECT_FALSE(taken_.last);
  take();
  ASSERT_TRUE(taken_.error);
  EXPECT_EQ(taken_.error->code, Errc::reset);
}

TEST_F(BufferedAnswers, LargeOnesAreTakenInParts) {
  BufferedAnswer large(reactor_, 1 << 20);
  std::string text(200'000, 'x');
  for (std::size_t at = 0; at < text.size(); at += 50'000)
    large.put(
        {.bytes = as_bytes(std::string_view(text).substr(at, 50'000)), .last = at + 50'000 >= text.size()});
  while (!taken_.last) {
    scope_.spawn(take_one(large, taken_));
    turn();
  }
  EXPECT_EQ(taken_.text, text);
  EXPECT_GT(taken_.pieces, 2);
}

}  // namespace
}  // namespace lockgate::proxy
