// Reads a tree of YAML by the tables of options: what every section has in common.
//
// What cannot be read is told and keeps its value, so that all mistakes are found at once.
// How a value is read follows from its type: whoever derives from this adds
// `read_value` and `read_field` for types of its own, and is found by the walk.
#pragma once
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.h"
#include "config/field.h"
#include "config/values.h"

namespace lockgate::config {

/// Who is read: "`idle`", or "an entry of `names`".
struct Subject {
  std::string_view key;
  bool entry = false;

  std::string text() const { return entry ? fmt::format("an entry of `{}`", key) : fmt::format("`{}`", key); }
};

/// What stands where something else was expected.
std::string found_text(const Node& node);

class TreeReader {
 public:
  explicit TreeReader(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  void error(const Mark& mark, std::string message, std::string hint = "") {
    diagnostics_.push_back({.place = mark.place(), .message = std::move(message), .hint = std::move(hint)});
  }
  void misfit(const Node& node, Subject subject, const Misfit& what) {
    error(node.mark, fmt::format("{} must be {}, {}", subject.text(), what.expected, found_text(node)),
          what.hint);
  }

  /// Reads the keys of `node` that the table of Struct knows, and tells those that it does not.
  template <class Self, Sectioned Struct>
  void read_section(this Self& self, const Node& node, Subject subject, Struct& out) {
    if (!node.is_map() && !node.is_nothing())
      return self.misfit(node, subject, {"a map of keys and values", ""});
    std::vector<std::string_view> keys, alternatives;
    for_each_field<Struct>([&](const auto& field) {
      keys.push_back(field.key);
      if (is_alternative(field)) alternatives.push_back(field.key);
      const Entry* entry = node.find(field.key);
      if (is_missing(field, entry))
        self.error(node.mark, fmt::format("{} has no `{}`", subject.text(), field.key));
      else if (entry)
        self.read_field(*entry, field, out);
    });
    for (const Entry& entry : node.entries) {
      if (std::ranges::find(keys, entry.key) == keys.end()) self.tell_unknown(entry, keys);
    }
    if (!alternatives.empty()) self.choose(node, subject, alternatives);
  }

  template <class Self, class Struct, class Member>
  void read_field(this Self& self, const Entry& entry, const Field<Struct, Member>& field, Struct& out) {
    self.read_value(entry.value, {field.key}, field.form, out.*field.member);
  }
  template <class Struct>
  void read_field(const Entry&, const IncludeField&, Struct&) {}

  template <class T>
  std::optional<T> read_word(const Node& node, Subject subject, const Form& form) {
    if (!node.is_scalar()) {
      misfit(node, subject, {expectation<T>(form), ""});
      return {};
    }
    auto parsed = parse_value<T>(node.text, form);
    if (parsed) return std::move(*parsed);
    misfit(node, subject, parsed.error());
    return {};
  }

  template <class Self, class T>
  void read_value(this Self& self, const Node& node, Subject subject, const Form& form, T& out) {
    if constexpr (Sectioned<T>) {
      if constexpr (kIsWhole<T>) out = T{};
      self.read_section(node, subject, out);
    } else if (auto word = self.template read_word<T>(node, subject, form)) {
      out = std::move(*word);
    }
  }
  /// A list takes the place of what was inherited.
  template <class Self, class T>
  void read_value(this Self& self, const Node& node, Subject subject, const Form& form, std::vector<T>& out) {
    out.clear();
    self.for_each_item(node, subject, [&](const Node& item, Subject who) {
      if (auto word = self.template read_word<T>(item, who, form)) out.push_back(std::move(*word));
    });
  }
  template <WordList List>
  void read_value(const Node& node, Subject subject, const Form&, List& out) {
    for_each_field<List>([&](const auto& field) { out.*field.member = false; });
    for_each_item(node, subject, [&](const Node& item, Subject who) {
      std::vector<std::string_view> words;
      bool known = false;
      for_each_field<List>([&](const auto& field) {
        words.push_back(field.key);
        if (item.is_scalar() && field.key == item.text) out.*field.member = known = true;
      });
      if (!known)
        misfit(item, who, {fmt::format("one of {}", fmt::join(words, ", ")), nearest(item.text, words)});
    });
  }

  /// Calls `visit(item, subject)` for each item of a list; what is no list is the only one.
  template <class Visit>
  void for_each_item(const Node& node, Subject subject, Visit visit) {
    if (node.is_nothing()) return misfit(node, subject, {"a list", ""});
    if (!node.is_list()) return visit(node, subject);
    for (const Node& item : node.items) visit(item, Subject{subject.key, true});
  }

 private:
  static bool is_given(const Entry* entry) {
    return entry && !(entry->value.is_list() && entry->value.items.empty());
  }
  template <class Field>
  static bool is_missing(const Field& field, const Entry* entry) {
    if constexpr (requires { field.form; }) return field.form.required && !is_given(entry);
    return false;
  }
  template <class Field>
  static bool is_alternative(const Field& field) {
    if constexpr (requires { field.form; }) return field.form.alternative;
    return false;
  }
  void tell_unknown(const Entry& entry, const std::vector<std::string_view>& keys);
  /// Tells if not exactly one of `keys` is in `section`.
  void choose(const Node& section, Subject subject, const std::vector<std::string_view>& keys);

  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace lockgate::config
