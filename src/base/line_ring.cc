#include "base/line_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace lockgate {

LineRing::LineRing(std::size_t capacity)
    : mask_(std::bit_ceil(std::max<std::size_t>(capacity, 1024)) - 1),
      memory_(std::make_unique_for_overwrite<std::byte[]>(mask_ + 1)) {}

bool LineRing::push(std::uint16_t target, std::uint8_t severity, std::string_view text) {
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  std::size_t wanted = room_for(text.size());
  std::size_t until_end = capacity() - (tail & mask_);
  std::size_t skipped = wanted > until_end ? until_end : 0;  // a line lies in one piece
  auto fits = [&] { return text.size() < capacity() && tail + skipped + wanted - seen_head_ <= capacity(); };
  if (!fits()) seen_head_ = head_.load(std::memory_order_acquire);
  if (!fits()) {
    refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return false;
  }
  if (skipped > 0) {
    write_header(tail,
                 {.size = static_cast<std::uint32_t>(skipped), .target = 0, .severity = 0, .filler = 1});
    tail += skipped;
  }
  write_header(tail, {static_cast<std::uint32_t>(text.size()), target, severity, 0});
  if (!text.empty()) std::memcpy(memory_.get() + (tail & mask_) + sizeof(Header), text.data(), text.size());
  // Sequentially consistent, as is the load in empty(): a producer that finds the consumer awake and a
  // consumer that finds the ring empty cannot both be wrong.
  tail_.store(tail + wanted);
  return true;
}

std::optional<LineRing::Line> LineRing::front() {
  if (empty()) return {};
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  Header header = header_at(head);
  if (header.filler != 0) {
    head += header.size;
    head_.store(head, std::memory_order_release);
    header = header_at(head);
  }
  const std::byte* text = memory_.get() + (head & mask_) + sizeof(Header);
  return Line{header.target, header.severity, {reinterpret_cast<const char*>(text), header.size}};
}

void LineRing::pop() {
  CHECK(!empty());
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  head_.store(head + room_for(header_at(head).size), std::memory_order_release);
}

std::size_t LineRing::room_for(std::size_t size) { return (sizeof(Header) + size + 7) & ~std::size_t{7}; }

LineRing::Header LineRing::header_at(std::uint64_t position) const {
  Header header;
  std::memcpy(&header, memory_.get() + (position & mask_), sizeof header);
  return header;
}

void LineRing::write_header(std::uint64_t position, Header header) {
  std::memcpy(memory_.get() + (position & mask_), &header, sizeof header);
}

}  // namespace lockgate
