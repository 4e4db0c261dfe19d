// Regular expressions in the syntax of RE2, which never goes back over what it has read.
//
// Matching takes time in proportion to the text, whatever the expression, so that a
// hostile text is harmless; there are no references back and no looking around. Texts are
// bytes, and a dot matches any of them. One object may be used by any thread at once, but
// threads that do share a lock: on a hot path each has its own. Throws nothing.
#pragma once
#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace lockgate {

class Regex {
 public:
  /// Or what is wrong with the pattern, in words.
  static std::expected<Regex, std::string> compile(std::string_view pattern);

  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// Whether it matches anywhere in `text`.
  bool matches(std::string_view text) const;
  /// The same; then the first of `groups` is all that matched, and the one at i what group i took. Those that
  /// took nothing are empty.
  bool match(std::string_view text, std::span<std::string_view> groups) const;
  /// Groups in parentheses, numbered from 1.
  std::size_t groups() const;

  /// `text` with every match replaced; in `with`, \1 to \9 stand for groups, \0 for all that matched and
  /// \\ for a backslash.
  std::string replace_all(std::string_view text, std::string_view with) const;
  /// What is wrong with such a `with`, in words; empty if nothing is.
  std::string fault_of_replacement(std::string_view with) const;

 private:
  explicit Regex(std::unique_ptr<const re2::RE2> compiled);
  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace lockgate
