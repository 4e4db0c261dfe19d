// Memory for coroutine frames: a free list per size class and per thread, so that
// the coroutines of a busy worker never reach malloc. Under AddressSanitizer every
// frame comes from malloc, so that a use after destruction is seen.
#pragma once
#include <array>
#include <cstddef>
#include <new>

namespace lockgate::loop {

struct FreeFrame {
  FreeFrame* next;
};

/// One thread's free frames, a list per size class; given back to malloc when the thread ends.
template <std::size_t kLists>
struct FreeFrames {
  std::array<FreeFrame*, kLists> lists{};
  FreeFrames() = default;
  FreeFrames(const FreeFrames&) = delete;
  FreeFrames& operator=(const FreeFrames&) = delete;
  ~FreeFrames() {
    for (FreeFrame*& list : lists) {
      while (FreeFrame* frame = list) {
        list = frame->next;
        ::operator delete(frame);
      }
    }
  }
};

class FramePool {
 public:
  static void* take(std::size_t size) {
    std::size_t kind = class_of(size);
    if (kind >= kClasses) return ::operator new(size);
    if (FreeFrame* free = free_.lists[kind]) {
      free_.lists[kind] = free->next;
      return free;
    }
    return ::operator new(kind * kStep);
  }
  static void give(void* frame, std::size_t size) noexcept {
    std::size_t kind = class_of(size);
    if (kind >= kClasses) return ::operator delete(frame);
    auto* free = static_cast<FreeFrame*>(frame);
    free->next = free_.lists[kind];
    free_.lists[kind] = free;
  }

 private:
#if __has_feature(address_sanitizer)
  static constexpr std::size_t kStep = 64, kClasses = 0;
#else
  static constexpr std::size_t kStep = 64, kClasses = 32;
#endif
  static std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }
  static inline thread_local FreeFrames<kClasses + 1> free_;
};

}  // namespace lockgate::loop
