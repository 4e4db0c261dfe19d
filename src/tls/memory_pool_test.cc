#include "tls/memory_pool.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <vector>

namespace lockgate::tls {
namespace {

TEST(MemoryPool, GivesThePieceThatCameBackLast) {
  MemoryPool pool;
  for (std::size_t size : std::vector<std::size_t>{1, 24, 25, 40, 200, 1032, 16 * 1024 + 1, 17 * 1024}) {
    SCOPED_TRACE(size);
    void* first = pool.take(size);
    void* second = pool.take(size);
    pool.give(first);
    pool.give(second);
    EXPECT_EQ(pool.take(size), second);
    EXPECT_EQ(pool.take(size), first);
    pool.give(first);
    pool.give(second);
  }
}

TEST(MemoryPool, GivesAtLeastWhatWasAskedForWhateverCameBackBefore) {
  MemoryPool pool;
  std::vector<void*> taken;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t size = 0; size < 1200; ++size) {
      auto* piece = static_cast<unsigned char*>(pool.take(size));
      std::fill_n(piece, size, static_cast<unsigned char>(size));  // the sanitizer tells if it is too small
      taken.push_back(piece);
    }
    while (!taken.empty()) {
      pool.give(taken.back());
      taken.pop_back();
    }
  }
}

TEST(MemoryPool, KeepsNoMoreThanItMay) {
  MemoryPool pool;
  std::vector<void*> pieces(1000);
  for (void*& piece : pieces) piece = pool.take(100);
  std::set<void*> before(pieces.begin(), pieces.end());
  for (void* piece : pieces) pool.give(piece);
  std::size_t kept = 0;
  for (void*& piece : pieces) kept += before.contains(piece = pool.take(100));
  EXPECT_LT(kept, 100U);  // the rest went back to malloc, which under the sanitizer does not hand it out soon
  for (void* piece : pieces) pool.give(piece);
}

TEST(MemoryPool, TakesBackWhatWasTakenElsewhere) {
  MemoryPool pool;
  for (std::size_t size : std::vector<std::size_t>{1, 8, 24, 100, 1031, 1040, 5000, 17 * 1024, 20 * 1024})
    pool.give(std::malloc(size));
  pool.give(nullptr);
  std::free(pool.take(64));
}

}  // namespace
}  // namespace lockgate::tls
