#include "wire/file_lines.h"

#include <algorithm>

#include "base/utf8.h"

namespace lockgate::wire {
namespace {

constexpr std::size_t kLongestName = 255;  // as htpasswd

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\r\v\f";
  line.remove_prefix(std::min(line.find_first_not_of(kSpaces), line.size()));
  return line.substr(0, line.find_last_not_of(kSpaces) + 1);
}

}  // namespace

bool FileLines::next() {
  while (!rest_.empty()) {
    auto end = std::min(rest_.find('\n'), rest_.size());
    line_ = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number_;
    if (!line_.empty() && line_[0] != '#') return true;
  }
  return false;
}

bool is_name(std::string_view name) { return !name.empty() && name.size() <= kLongestName && is_text(name); }

}  // namespace lockgate::wire
