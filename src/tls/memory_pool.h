// MemoryPool: memory that OpenSSL has given back, kept at hand by one thread for its next call.
//
// A handshake takes and gives back hundreds of small pieces, and every record a large
// one. That is more than malloc keeps for a thread: the rest would be joined to the heap
// and cut out again each time, under a lock. Here the last piece of a size that came
// back, which the cache still has, is the next to go. Nothing is written into pieces that
// are free.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace lockgate::tls {

class MemoryPool {
 public:
  /// Has OpenSSL ask the pool of the calling thread, if it has one, for memory. Before OpenSSL is used at
  /// all; false if that is too late.
  static bool install();

  /// The pool of the thread that makes it, until that destroys it.
  MemoryPool();
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;

  /// As malloc() and free(); what was taken may be given back anywhere, also by free().
  void* take(std::size_t size);
  void give(void* memory);

 private:
  struct Bin {
    std::array<void*, 64> kept;
    std::uint32_t count = 0;
  };
  // Sizes as malloc has them: 24 bytes, 40, 56 and so on, and one for the buffers of records.
  static constexpr std::size_t kBins = 64;
  static constexpr std::size_t kLargest = 8 + 16 * kBins;
  static constexpr std::size_t kLeastRecord = 16 * 1024, kRecord = 17 * 1024 + 8;

  std::array<Bin, kBins> bins_;
  Bin records_;
};

}  // namespace lockgate::tls
