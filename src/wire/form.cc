#include "wire/form.h"

#include <algorithm>

#include "base/utf8.h"

namespace lockgate::wire {
namespace {

std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return {};
}

bool is_printable(char c) { return c > ' ' && c < '\x7f'; }

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t size = utf8_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

// What is decoded is never longer than what it was.
std::optional<std::string_view> decode(std::span<char> text) {
  auto to = text.begin();
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (!is_printable(c)) return {};
    if (c == '+') c = ' ';
    if (c == '%') {
      if (text.size() - i < 3) return {};
      auto high = digit(text[i + 1]), low = digit(text[i + 2]);
      if (!high || !low) return {};
      c = static_cast<char>(*high << 4 | *low);
      i += 2;
    }
    *to++ = c;
  }
  std::string_view decoded(text.begin(), to);
  return is_utf8(decoded) ? std::optional(decoded) : std::nullopt;
}

}  // namespace

std::optional<Form> read_form(std::span<char> text) {
  Form form;
  while (!text.empty()) {
    auto end = static_cast<std::size_t>(std::ranges::find(text, '&') - text.begin());
    auto equals = static_cast<std::size_t>(std::ranges::find(text.first(end), '=') - text.begin());
    if (equals == end || form.size() == kMostFormFields) return {};
    auto name = decode(text.first(equals)), value = decode(text.subspan(equals + 1, end - equals - 1));
    if (!name || name->empty() || !value) return {};
    if (std::ranges::find(form, *name, &FormField::name) != form.end()) return {};
    form.push_back({*name, *value});
    if (end + 1 == text.size()) return {};
    text = text.subspan(std::min(end + 1, text.size()));
  }
  return form;
}

std::string_view value_of(const Form& form, std::string_view name) {
  auto found = std::ranges::find(form, name, &FormField::name);
  return found == form.end() ? std::string_view() : found->value;
}

}  // namespace lockgate::wire
