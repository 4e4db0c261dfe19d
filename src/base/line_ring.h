// LineRing: how one thread hands lines of text to another without ever waiting.
//
// A ring of bytes with exactly one producer and one consumer, without locks and
// without allocating. A line that does not fit is refused and counted; the
// producer goes on. The consumer reads each line where it lies, then pops it.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace lockgate {

class LineRing {
 public:
  struct Line {
    std::uint16_t target;   // where it goes; the ring does not care
    std::uint8_t severity;  // likewise
    std::string_view text;  // in the ring's memory until pop()
  };

  /// Room for at least `capacity` bytes of lines, each with 8 bytes beside its text.
  explicit LineRing(std::size_t capacity);

  /// The producer: copies the line in; false, and counted, if there is no room.
  bool push(std::uint16_t target, std::uint8_t severity, std::string_view text);

  /// The consumer: the oldest line, none if empty. Every push that ended before is seen.
  std::optional<Line> front();
  /// The consumer: forgets the line that front() gave.
  void pop();
  /// The consumer.
  bool empty() const { return head_.load(std::memory_order_relaxed) == tail_.load(); }

  /// Any thread: lines refused so far.
  std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  std::size_t capacity() const { return mask_ + 1; }

 private:
  struct Header {
    std::uint32_t size;
    std::uint16_t target;
    std::uint8_t severity;
    std::uint8_t filler;  // 1: skip to the beginning of the memory
  };
  static std::size_t room_for(std::size_t size);
  Header header_at(std::uint64_t position) const;
  void write_header(std::uint64_t position, Header header);

  std::size_t mask_;
  std::unique_ptr<std::byte[]> memory_;
  // Positions only grow; the place in memory is the position modulo the capacity. Each side keeps what it
  // last saw of the other's position, so that the two rarely touch the same cache line.
  alignas(64) std::atomic<std::uint64_t> tail_ = 0;  // written by the producer
  std::uint64_t seen_head_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_ = 0;  // written by the consumer
};

}  // namespace lockgate
