// BanTable: until when each banned client is banned, as it is asked on every accept and
// every request: one or two cache lines, however many there are, and no lock.
//
// Any thread reads while one writes; whoever owns it keeps writers apart. Its memory is
// taken once, for twice as many clients as it is for. Where a line is full, clients go to
// the next one, and the line counts them, so that whoever looks knows whether to go on:
// nothing that was ever in it makes looking slower.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "guard/client_key.h"

namespace lockgate::guard {

class BanTable {
 public:
  /// For `most` clients.
  explicit BanTable(std::size_t most);

  /// Any thread: until when, the beginning of time for a client that is not banned.
  Instant until(ClientKey client) const;
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  /// A writer: there must be less than `most`, or it is in it already.
  void put(ClientKey client, Instant until);
  void remove(ClientKey client);

 private:
  static constexpr std::size_t kCells = 3;
  struct alignas(64) Line {
    std::array<std::atomic<ClientKey>, kCells> clients{};  // 0: nobody
    std::array<std::atomic<std::int64_t>, kCells> untils{};
    std::atomic<std::uint32_t> passed_on = 0;  // clients that are further on for want of room here
  };
  struct Place {
    Line* line = nullptr;
    std::size_t cell = 0;
  };
  std::size_t home(ClientKey client) const;
  std::size_t after(std::size_t line) const { return line + 1 == lines_.size() ? 0 : line + 1; }
  Place find(ClientKey client);

  HashSecret key_;
  std::vector<Line> lines_;
  std::atomic<std::size_t> size_ = 0;
};

}  // namespace lockgate::guard
