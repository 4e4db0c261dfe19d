// Host names as routing sees them, and the patterns that pick them.
//
// A name is compared in lower case and without its trailing dot (RFC 6066, 3;
// RFC 4343). A pattern is an exact name, a wildcard "*.example.com" that stands
// for one or more labels, a regular expression "~^app[0-9]+[.]example[.]com$", or
// "default", which takes what nothing else does.
#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/regex.h"

namespace lockgate {

/// The longest host name of the DNS, without a trailing dot (RFC 1035, 2.3.4).
inline constexpr std::size_t kLongestName = 253;

/// Lower case, trailing dot removed. None if it is empty, too long, has an empty or overlong label, or a
/// character other than letters, digits, '-', '_' and '.'.
std::optional<std::string> normalized_name(std::string_view name);

/// True for what RFC 6066 forbids as a server name: "192.0.2.1", "::1".
bool is_ip_literal(std::string_view name);

class NamePattern {
 public:
  enum class Kind : std::uint8_t { exact, wildcard, regex, any };

  /// "www.example.com", "*.example.com" or "default".
  static std::optional<NamePattern> parse(std::string_view text);
  /// A regular expression (RE2) that matches anywhere in a name, unless `^` and `$` say where; or what is
  /// wrong with it, in words.
  static std::expected<NamePattern, std::string> of_regex(std::string_view expression);

  Kind kind() const { return kind_; }
  /// Exact or a wildcard, as certificates have them, too.
  bool is_name() const { return kind_ == Kind::exact || kind_ == Kind::wildcard; }
  /// The normalized name; of a wildcard, what follows "*."; the expression; empty for "default".
  const std::string& name() const { return name_; }
  /// `name` is normalized, or empty where the client gave none.
  bool matches(std::string_view name) const;
  std::string text() const;
  bool operator==(const NamePattern& other) const { return kind_ == other.kind_ && name_ == other.name_; }

 private:
  NamePattern(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  Kind kind_;
  std::string name_;
  std::shared_ptr<const Regex> regex_;
};

/// Finds values by name, most specific pattern first: exact, then the longest wildcard, then regular
/// expressions in their order, then default. One look-up costs one hash per label, however many patterns
/// there are, and trying the regular expressions, if there are any.
class NameIndex {
 public:
  using Values = std::vector<std::uint32_t>;
  void add(const NamePattern& pattern, std::uint32_t value);

  /// Calls `take(value)` in order of preference until it returns true.
  template <class Take>
  bool find(std::string_view name, Take take) const {
    if (try_values(exact_, name, take)) return true;
    for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
      if (try_values(wildcard_, name.substr(dot + 1), take)) return true;
    }
    for (const auto& [pattern, value] : regexes_) {
      if (pattern.matches(name) && take(value)) return true;
    }
    return try_each(any_, take);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Map = std::unordered_map<std::string, Values, Hash, std::equal_to<>>;

  template <class Take>
  static bool try_each(const Values& values, Take& take) {
    for (auto value : values) {
      if (take(value)) return true;
    }
    return false;
  }
  template <class Take>
  static bool try_values(const Map& map, std::string_view key, Take& take) {
    if (map.empty()) return false;
    auto found = map.find(key);
    return found != map.end() && try_each(found->second, take);
  }

  Map exact_, wildcard_;
  std::vector<std::pair<NamePattern, std::uint32_t>> regexes_;
  Values any_;
};

}  // namespace lockgate
