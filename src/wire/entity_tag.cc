#include "wire/entity_tag.h"

#include <algorithm>

#include "wire/http_grammar.h"

namespace lockgate::wire {
namespace {

constexpr std::string_view kWeak = "W/";

/// The tag at the beginning with its quotes; empty if there is none. What may stand between them is what may
/// stand in a value but white space and quotes.
std::string_view quoted(std::string_view text) {
  if (!text.starts_with('"')) return {};
  auto end = text.find('"', 1);
  if (end == text.npos || text.substr(0, end).find_first_of(" \t") != text.npos) return {};
  return text.substr(0, end + 1);
}

}  // namespace

bool lists_tag(std::string_view list, std::string_view tag, Comparison comparison) {
  if (list == "*") return true;
  for (std::string_view rest = list;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of(", \t"), rest.size()));
    bool weak = rest.starts_with(kWeak);
    if (weak) rest.remove_prefix(kWeak.size());
    std::string_view one = quoted(rest);
    if (one.empty()) return false;
    if (one == tag && (!weak || comparison == Comparison::weak)) return true;
    rest = trimmed(rest.substr(one.size()));
    if (!rest.starts_with(',')) return false;
  }
}

bool is_like_tag(std::string_view value) { return value.starts_with('"') || value.starts_with(kWeak); }

}  // namespace lockgate::wire
