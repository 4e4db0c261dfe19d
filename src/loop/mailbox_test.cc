#include "loop/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

#include "loop/reactor.h"

namespace lockgate::loop {
namespace {

using namespace std::chrono_literals;

bool has_letters(const Mailbox& mailbox) {
  pollfd asked{.fd = mailbox.descriptor(), .events = POLLIN, .revents = 0};
  return poll(&asked, 1, 0) == 1;
}

TEST(Mailbox, DeliversInTheOrderOfPosting) {
  Mailbox mailbox;
  EXPECT_FALSE(has_letters(mailbox));
  std::vector<int> read;
  for (int i = 0; i < 5; ++i) mailbox.post([&read, i] { read.push_back(i); });
  EXPECT_TRUE(has_letters(mailbox));
  EXPECT_TRUE(read.empty());
  mailbox.deliver();
  EXPECT_EQ(read, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_FALSE(has_letters(mailbox));
}

TEST(Mailbox, KeepsWhatALetterPostsForTheNextDelivery) {
  Mailbox mailbox;
  int read = 0;
  mailbox.post([&] { mailbox.post([&] { ++read; }); });
  mailbox.deliver();
  EXPECT_EQ(read, 0);
  EXPECT_TRUE(has_letters(mailbox));
  mailbox.deliver();
  EXPECT_EQ(read, 1);
}

TEST(Mailbox, DestroysWhatWasNeverDelivered) {
  auto held = std::make_shared<int>(1);
  {
    Mailbox mailbox;
    mailbox.post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Mailbox, LosesNoLetterOfManyThreadsAndKeepsEachThreadsOrder) {
  constexpr int kThreads = 4, kLetters = 5000;
  SystemClock clock;
  Reactor reactor(clock);
  std::vector<int> next(kThreads, 0);
  int read = 0;
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kLetters; ++i) {
        reactor.post([&, t, i] {
          in_order &= next[static_cast<std::size_t>(t)]++ == i;
          if (++read == kThreads * kLetters) reactor.stop();
        });
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  reactor.run();  // a lost wake-up would leave it waiting for a minute at a time
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(read, kThreads * kLetters);
  EXPECT_TRUE(in_order);
}

TEST(Mailbox, WakesAReactorThatWaits) {
  SystemClock clock;
  Reactor reactor(clock);
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> read = false;
    std::thread other([&] { reactor.post([&] { read = true; }); });
    Instant began = clock.now();
    while (!read) reactor.turn(30s);
    EXPECT_LT(clock.now() - began, 10s);
    other.join();
  }
}

}  // namespace
}  // namespace lockgate::loop
