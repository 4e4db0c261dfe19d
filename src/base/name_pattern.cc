#include "base/name_pattern.h"

#include "base/address.h"

namespace lockgate {
namespace {

constexpr std::size_t kLongestLabel = 63;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<std::string> normalized_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kLongestName) return {};
  std::string result;
  result.reserve(name.size());
  std::size_t label = 0;
  for (char c : name) {
    c = lower(c);
    if (c == '.') {
      if (label == 0) return {};
      label = 0;
    } else if (!is_name_character(c) || ++label > kLongestLabel) {
      return {};
    }
    result.push_back(c);
  }
  if (label == 0) return {};
  return result;
}

bool is_ip_literal(std::string_view name) {
  // A zone is left out: to look it up would ask the system about a name that anyone may send.
  return Ip::parse(name.substr(0, name.find('%'))).has_value();
}

std::optional<NamePattern> NamePattern::parse(std::string_view text) {
  if (text == "default") return NamePattern(Kind::any, "");
  bool wildcard = text.starts_with("*.");
  auto name = normalized_name(wildcard ? text.substr(2) : text);
  if (!name) return {};
  return NamePattern(wildcard ? Kind::wildcard : Kind::exact, std::move(*name));
}

std::expected<NamePattern, std::string> NamePattern::of_regex(std::string_view expression) {
  auto regex = Regex::compile(expression);
  if (!regex) return std::unexpected(regex.error());
  NamePattern pattern(Kind::regex, std::string(expression));
  pattern.regex_ = std::make_shared<const Regex>(std::move(*regex));
  return pattern;
}

bool NamePattern::matches(std::string_view name) const {
  switch (kind_) {
    case Kind::exact:
      return name == name_;
    case Kind::wildcard:
      return name.size() > name_.size() + 1 && name.ends_with(name_) &&
             name[name.size() - name_.size() - 1] == '.';
    case Kind::regex:
      return !name.empty() && regex_->matches(name);
    case Kind::any:
      return true;
  }
  return false;
}

std::string NamePattern::text() const {
  switch (kind_) {
    case Kind::exact:
      return name_;
    case Kind::wildcard:
      return "*." + name_;
    case Kind::regex:
      return "~" + name_;
    case Kind::any:
      return "default";
  }
  return "";
}

void NameIndex::add(const NamePattern& pattern, std::uint32_t value) {
  switch (pattern.kind()) {
    case NamePattern::Kind::exact:
      exact_[pattern.name()].push_back(value);
      break;
    case NamePattern::Kind::wildcard:
      wildcard_[pattern.name()].push_back(value);
      break;
    case NamePattern::Kind::regex:
      regexes_.emplace_back(pattern, value);
      break;
    case NamePattern::Kind::any:
      any_.push_back(value);
      break;
  }
}

}  // namespace lockgate
