// OrderedKeys: how many of many numbers are not above a given one.
//
// A search tree without pointers: its nodes are lines of the processor's cache, level by
// level, with up to 16 ways out of each, so that a million keys are five lines deep and
// any keys cost the same. Immutable; any thread. It takes little more than the keys.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace lockgate {

template <class Key>
class OrderedKeys {
 public:
  OrderedKeys() = default;
  /// Of keys in ascending order.
  explicit OrderedKeys(std::vector<Key> keys) {
    std::vector<std::vector<Key>> levels{std::move(keys)};
    while (levels.back().size() > kWays) levels.push_back(firsts_of(levels.back()));
    for (std::size_t i = levels.size(); i-- > 0;) add_level(levels[i]);
  }

  /// How many keys are `key` or below it.
  std::size_t count_up_to(const Key& key) const {
    std::size_t number = 0;  // of the node within its level
    for (const Level& level : levels_) {
      const Node& node = nodes_[level.begin + number];
      std::size_t before = number * kWays, passed = 0;
      for (const Key& one : node.keys) passed += one <= key;
      passed = std::min(passed, level.size - before);  // what fills the last node up is no key
      if (passed == 0) return before;                  // below all: of the first node alone
      number = before + passed - 1;
    }
    return levels_.empty() ? 0 : number + 1;
  }
  std::size_t bytes() const { return nodes_.capacity() * sizeof(Node); }

 private:
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kWays = kLine / sizeof(Key);
  struct alignas(kLine) Node {
    std::array<Key, kWays> keys;
  };
  struct Level {
    std::size_t begin, size;  // its first node, and how many keys it has
  };

  static std::vector<Key> firsts_of(const std::vector<Key>& keys) {
    std::vector<Key> firsts;
    for (std::size_t i = 0; i < keys.size(); i += kWays) firsts.push_back(keys[i]);
    return firsts;
  }
  void add_level(const std::vector<Key>& keys) {
    if (keys.empty()) return;
    levels_.push_back({nodes_.size(), keys.size()});
    nodes_.resize(nodes_.size() + (keys.size() + kWays - 1) / kWays, Node{});
    Node* node = nodes_.data() + levels_.back().begin;
    for (std::size_t i = 0; i < keys.size(); ++i) node[i / kWays].keys[i % kWays] = keys[i];
    for (std::size_t i = keys.size(); i % kWays != 0; ++i) node[i / kWays].keys[i % kWays] = keys.back();
  }

  std::vector<Node> nodes_;
  std::vector<Level> levels_;  // the top first
};

}  // namespace lockgate
