// NameTable: a million names, found at the same cost as ten, and little more memory than
// their bytes. Names get numbers in the order of their coming. Filled once, then asked
// by any thread; asking allocates nothing.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/keyed_hash.h"

namespace lockgate {

class NameTable {
 public:
  NameTable();

  struct Added {
    std::uint32_t number;
    bool is_new;
  };
  /// All names together have less than 4 GiB.
  Added add(std::string_view name);
  std::optional<std::uint32_t> find(std::string_view name) const;
  std::string_view name(std::uint32_t number) const;
  std::size_t size() const { return ends_.size(); }

 private:
  static constexpr std::size_t kLeast = 16;
  static constexpr std::uint32_t kFree = UINT32_MAX;

  /// Where it is, or would be.
  std::size_t place_of(std::string_view name) const;
  void grow();

  HashSecret key_{};                   // random: whoever chooses names cannot have them all meet in one place
  std::string text_;                   // all names, one behind the other
  std::vector<std::uint32_t> ends_;    // of each in `text_`
  std::vector<std::uint32_t> places_;  // numbers, where their hashes say, or the next free place
};

}  // namespace lockgate
