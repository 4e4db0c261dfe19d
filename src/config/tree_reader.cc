#include "config/tree_reader.h"

namespace lockgate::config {

std::string found_text(const Node& node) {
  constexpr std::size_t kMost = 60;
  if (node.is_list()) return "not a list";
  if (node.is_map()) return "not a map";
  if (node.text.empty()) return "but it is empty";
  // A URL with a password is not repeated.
  if (node.text.contains("://") && node.text.contains('@')) return "not one with an @";
  std::size_t line = std::min(node.text.find('\n'), node.text.size());
  if (line <= kMost && line == node.text.size()) return fmt::format("not `{}`", node.text);
  std::size_t end = std::min(line, kMost);
  while (end > 0 && end < node.text.size() && (static_cast<unsigned char>(node.text[end]) & 0xc0) == 0x80)
    --end;  // inside a character of UTF-8
  return fmt::format("not `{}...`", node.text.substr(0, end));
}

void TreeReader::tell_unknown(const Entry& entry, const std::vector<std::string_view>& keys) {
  std::string hint = nearest(entry.key, keys);
  if (hint.empty()) hint = fmt::format("known here: {}", fmt::join(keys, ", "));
  error(entry.mark, fmt::format("`{}` is not a known key", entry.key), hint);
}

void TreeReader::choose(const Node& section, Subject subject, const std::vector<std::string_view>& keys) {
  std::vector<const Entry*> given;
  for (const Entry& entry : section.entries) {
    if (std::ranges::find(keys, entry.key) != keys.end() && is_given(&entry)) given.push_back(&entry);
  }
  if (given.empty())
    error(section.mark, fmt::format("{} has none of `{}`", subject.text(), fmt::join(keys, "`, `")));
  if (given.size() > 1) {
    error(given[1]->mark,
          fmt::format("{} has both `{}` and `{}`", subject.text(), given[0]->key, given[1]->key),
          "one of them is enough");
  }
}

}  // namespace lockgate::config
