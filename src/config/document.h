// One YAML file as a tree that knows where each value was written.
//
// The tree is what the rest of this room reads; the YAML library is known to
// document.cc alone. Anchors, aliases, tags, second documents and control
// characters are refused, keys written twice are told, depth and number of values
// are bounded, so that a hostile file costs no more than an honest one of its size.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace lockgate::config {

/// A place that is cheap to carry; the file's name lives as long as its Documents.
struct Mark {
  const std::string* file = nullptr;
  int line = 0;
  int column = 0;

  Place place() const { return {file ? *file : "", line, column}; }
};

struct Entry;

/// A value of the document. Of a map, `entries` keep file order and have no key twice.
struct Node {
  enum class Kind : std::uint8_t { nothing, scalar, list, map };
  Kind kind = Kind::nothing;
  Mark mark;
  std::string text;
  std::vector<Node> items;
  std::vector<Entry> entries;

  bool is_nothing() const { return kind == Kind::nothing; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  /// The entry of a map with this key, or nullptr.
  Entry* find(std::string_view key);
  const Entry* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Mark mark;  // of the key
  Node value;
};

/// Reads `text`, which came from `*file`, and takes its values off `values_left`. Mistakes are appended to
/// `diagnostics`; after one of syntax the tree is empty.
Node read_document(std::string_view text, const std::string* file, std::size_t& values_left,
                   std::vector<Diagnostic>& diagnostics);

}  // namespace lockgate::config
