// Arena: memory for texts that live and go together, such as those of one exchange.
//
// Taking is moving a pointer; nothing is given back one by one. clear() keeps the first
// block, so that an arena used again and again does not reach malloc. One thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace lockgate {

class Arena {
 public:
  static constexpr std::size_t kBlock = 4096;

  /// Room for `size` characters, valid until clear().
  std::span<char> take(std::size_t size) {
    if (size > left_) grow(size);
    char* begin = next_;
    next_ += size;
    left_ -= size;
    return {begin, size};
  }
  /// `text`, which from then on stays where it is until clear().
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    auto room = take(text.size());
    std::memcpy(room.data(), text.data(), text.size());
    return {room.data(), room.size()};
  }
  /// All of `texts`, one behind the other.
  template <class... Texts>
  std::string_view join(const Texts&... texts) {
    auto room = take((std::string_view(texts).size() + ... + 0));
    char* at = room.data();
    ((at = std::ranges::copy(std::string_view(texts), at).out), ...);
    return {room.data(), room.size()};
  }
  /// Everything that was taken is gone.
  void clear() {
    if (blocks_.size() > 1) blocks_.resize(1);
    next_ = blocks_.empty() ? nullptr : blocks_.front().get();
    left_ = blocks_.empty() ? 0 : kBlock;
  }

 private:
  void grow(std::size_t size) {
    // The first block has always the ordinary size, for clear() keeps it.
    if (blocks_.empty() && size > kBlock) blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlock));
    left_ = std::max(size, kBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
    next_ = blocks_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace lockgate
