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

class FramePool {
 public:
  static void* take(std::size_t size) {
    std::size_t kind = class_of(size);
    if (kind >= kClasses) return ::operator new(size);
    if (FreeFrame* free = free_[kind]) {
      free_[kind] = free->next;
      return free;
    }
    return ::operator new(kind * kStep);
  }
  static void give(void* frame, std::size_t size) noexcept {
    std::size_t kind = class_of(size);
    if (kind >= kClasses) return ::operator delete(frame);
    if (!has_end_) [[unlikely]]
      at_end();
    auto* free = static_cast<FreeFrame*>(frame);
    free->next = free_[kind];
    free_[kind] = free;
  }

 private:
#if __has_feature(address_sanitizer)
  static constexpr std::size_t kStep = 64, kClasses = 0;
#else
  static constexpr std::size_t kStep = 64, kClasses = 32;
#endif
  using Lists = std::array<FreeFrame*, kClasses + 1>;

  // Gives the frames of a thread back to malloc when it ends.
  struct End {
    End() = default;
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() {
      for (FreeFrame*& list : free_) {
        while (FreeFrame* frame = list) {
          list = frame->next;
          ::operator delete(frame);
        }
      }
    }
  };
  static void at_end() {
    static thread_local End end;
    static_cast<void>(end);
    has_end_ = true;
  }
  static std::size_t class_of(std::size_t size) { return (size + kStep - 1) / kStep; }

  // Trivial, so that reaching them costs no question whether they exist already.
  static inline constinit thread_local Lists free_{};
  static inline constinit thread_local bool has_end_ = false;
};

}  // namespace lockgate::loop
