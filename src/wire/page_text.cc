#include "wire/page_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/utf8.h"

namespace lockgate::wire {
namespace {

constexpr std::size_t kLongestEntity = 12;  // with its ends
constexpr std::string_view kSpaces = " \t\r\n\f\v";

/// Takes a page apart into texts between tags.
class Reader {
 public:
  explicit Reader(std::string_view page) : left_(page) {}
  std::vector<std::string> texts();

 private:
  void read_tag();
  void read_character();
  void end_text();

  std::string_view left_;
  std::string text_;  // the one under way
  std::vector<std::string> texts_;
  bool in_title_ = false;
};

}  // namespace

std::string page_text(std::string_view page, bool cut) {
  auto last = cut ? page.rfind('&') : std::string_view::npos;
  if (last != page.npos && page.size() - last < kLongestEntity && !page.substr(last).contains(';'))
    page = page.substr(0, last);
  std::string all;
  std::vector<std::string> told;
  for (std::string& text : Reader(page).texts()) {
    std::string_view sentence = text;
    if (sentence.ends_with('.')) sentence.remove_suffix(1);
    auto holds = [&](const std::string& other) { return other.contains(sentence); };
    if (std::ranges::any_of(told, holds)) continue;
    if (!all.empty()) all += std::string_view(".,:;!?").contains(all.back()) ? " " : ". ";
    all += text;
    told.push_back(std::move(text));
  }
  return all;
}

std::string shortened(std::string_view text, std::size_t most) {
  constexpr std::string_view kDots = "...";
  if (text.size() <= most) return std::string(text);
  std::size_t size = most - std::min(most, kDots.size());
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return std::string(text.substr(0, size)).append(kDots.substr(0, most));
}

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool may_open_tag(std::string_view text) {
  return text.size() > 1 && (is_letter(text[1]) || text[1] == '/' || text[1] == '!' || text[1] == '?');
}

/// These stand within a sentence.
bool is_inline(std::string_view tag) {
  static constexpr std::array<std::string_view, 14> kTags = {
      "a", "b", "i", "u", "em", "tt", "font", "span", "code", "small", "strong", "abbr", "wbr", "q"};
  return std::ranges::find(kTags, tag) != kTags.end();
}

/// Where `end` stands in any case of letters; the size of `text` if nowhere.
std::size_t find_in_any_case(std::string_view text, std::string_view end) {
  auto found = std::ranges::search(text, end, {}, lower, lower);
  return static_cast<std::size_t>(found.begin() - text.begin());
}

std::string encoded(std::uint32_t code) {
  auto rest = [&](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), rest(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), rest(6), rest(0)};
  return {static_cast<char>(0xf0 | code >> 18), rest(12), rest(6), rest(0)};
}

/// The character of "#233" or "#xe9"; nothing if it is none.
std::optional<std::string> numbered(std::string_view name) {
  int base = name.size() > 1 && lower(name[1]) == 'x' ? 16 : 10;
  auto digits = name.substr(std::min<std::size_t>(name.size(), base == 16 ? 2 : 1));
  std::uint32_t code = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
  bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return encoded(code);
}

/// The character that the entity `name`, as in "amp", stands for.
std::optional<std::string> entity(std::string_view name) {
  using Entity = std::pair<std::string_view, std::string_view>;
  static constexpr std::array<Entity, 7> kNamed{{{"amp", "&"},
                                                 {"lt", "<"},
                                                 {"gt", ">"},
                                                 {"quot", "\""},
                                                 {"apos", "'"},
                                                 {"nbsp", " "},
                                                 {"copy", "(c)"}}};
  if (name.starts_with('#')) return numbered(name);
  auto found = std::ranges::find(kNamed, name, &Entity::first);
  if (found == kNamed.end()) return {};
  return std::string(found->second);
}

std::vector<std::string> Reader::texts() {
  while (!left_.empty()) {
    if (left_.front() == '<' && may_open_tag(left_)) {
      read_tag();
    } else {
      read_character();
    }
  }
  end_text();
  return std::move(texts_);
}

void Reader::read_tag() {
  bool comment = left_.starts_with("<!--");
  bool closing = left_[1] == '/';
  std::string name;
  for (char c : left_.substr(closing ? 2 : 1)) {
    if (!is_letter(c) && !is_digit(c)) break;
    name += lower(c);
  }
  std::string_view end = comment ? "-->" : ">";
  left_.remove_prefix(std::min(left_.find(end, comment ? 4 : 1), left_.size() - end.size()) + end.size());
  if (!closing && (name == "script" || name == "style")) {
    left_.remove_prefix(find_in_any_case(left_, "</" + name));
  }
  if (comment || is_inline(name)) return;
  end_text();
  in_title_ = !closing && name == "title";
}

void Reader::read_character() {
  auto size = utf8_size(left_);
  std::string one(size == 0 ? "?" : left_.substr(0, size));
  size = std::max<std::size_t>(size, 1);
  auto end = one == "&" ? left_.substr(0, kLongestEntity).find(';') : std::string_view::npos;
  if (end != std::string_view::npos) {
    if (auto meant = entity(left_.substr(1, end - 1))) {
      one = std::move(*meant);
      size = end + 1;
    }
  }
  left_.remove_prefix(size);
  bool space = is_control(one) || kSpaces.contains(one.front());
  if (!space) {
    text_ += one;
  } else if (!text_.empty() && text_.back() != ' ') {
    text_ += ' ';
  }
}

void Reader::end_text() {
  if (text_.ends_with(' ')) text_.pop_back();
  if (!text_.empty()) texts_.insert(in_title_ ? texts_.begin() : texts_.end(), text_);
  text_.clear();
}

}  // namespace
}  // namespace lockgate::wire
