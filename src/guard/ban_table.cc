#include "guard/ban_table.h"

#include "base/check.h"
#include "base/digest.h"

namespace lockgate::guard {

BanTable::BanTable(std::size_t most) : lines_(2 * most / kCells + 1) {
  random_bytes(std::as_writable_bytes(std::span(key_)));
}

// A cell that goes to another client has no time until that client has its own: who finds a time, and then
// the client still, has found the client's.
Instant BanTable::until(ClientKey client) const {
  for (std::size_t at = home(client);; at = after(at)) {
    const Line& line = lines_[at];
    for (std::size_t i = 0; i < kCells; ++i) {
      if (line.clients[i].load(std::memory_order_acquire) != client) continue;
      std::int64_t until = line.untils[i].load(std::memory_order_acquire);
      if (line.clients[i].load(std::memory_order_relaxed) == client) return {until};
    }
    if (line.passed_on.load(std::memory_order_acquire) == 0) return {};
  }
}

void BanTable::put(ClientKey client, Instant until) {
  if (Place known = find(client); known.line)
    return known.line->untils[known.cell].store(until.nanoseconds, std::memory_order_release);
  CHECK(size() < lines_.size() * kCells);
  for (std::size_t at = home(client);; at = after(at)) {
    Line& line = lines_[at];
    for (std::size_t i = 0; i < kCells; ++i) {
      if (line.clients[i].load(std::memory_order_relaxed) != 0) continue;
      line.clients[i].store(client, std::memory_order_release);
      line.untils[i].store(until.nanoseconds, std::memory_order_release);
      size_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    line.passed_on.fetch_add(1, std::memory_order_release);
  }
}

void BanTable::remove(ClientKey client) {
  Place known = find(client);
  if (!known.line) return;
  known.line->untils[known.cell].store(0, std::memory_order_release);
  known.line->clients[known.cell].store(0, std::memory_order_release);
  for (std::size_t at = home(client); &lines_[at] != known.line; at = after(at))
    lines_[at].passed_on.fetch_sub(1, std::memory_order_release);
  size_.fetch_sub(1, std::memory_order_relaxed);
}

// Multiplied rather than divided: any number of lines will do.
std::size_t BanTable::home(ClientKey client) const {
  std::array<char, sizeof client> bytes = std::bit_cast<std::array<char, sizeof client>>(client);
  std::uint64_t hash = keyed_hash(key_, {bytes.data(), bytes.size()});
  return static_cast<std::size_t>((hash >> 32) * lines_.size() >> 32);
}

BanTable::Place BanTable::find(ClientKey client) {
  for (std::size_t at = home(client);; at = after(at)) {
    Line& line = lines_[at];
    for (std::size_t i = 0; i < kCells; ++i) {
      if (line.clients[i].load(std::memory_order_relaxed) == client) return {&line, i};
    }
    if (line.passed_on.load(std::memory_order_relaxed) == 0) return {};
  }
}

}  // namespace lockgate::guard
